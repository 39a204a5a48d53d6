// The client of faye, which handshakes over HTTP, upgrades when it may, and subscribes again by itself: faye.cjs OPTIONS
"use strict";

const { options, tell, obey } = require("./peer.cjs");
const faye = require("faye");

const client = new faye.Client(options.url, { retry: 1 }); // seconds; 5 unless told
const subscriptions = new Map();

function subscribe(topic) {
  const subscription = client.subscribe(topic);
  subscription.withChannel((channel, data) => tell("message", { channel, data }));
  subscriptions.set(topic, subscription);
}

if (options.transport === "long-polling") client.disable("websocket");
client.setHeader("Authorization", options.authorization);
client.addExtension({
  outgoing: (message, pass) => {
    tell("sent", { channel: message.channel });
    pass(message);
  },
  incoming: (message, pass) => {
    const { channel, subscription, successful, error, advice } = message;
    const transport = client._dispatcher.connectionType;
    if (successful !== undefined) tell("reply", { channel, subscription, successful, error, advice, transport });
    pass(message);
  },
});
client.on("transport:down", () => tell("down"));
options.topics.forEach(subscribe);
obey({
  subscribe: ({ topic }) => subscribe(topic),
  unsubscribe: ({ topic }) => subscriptions.get(topic).cancel(),
  disconnect: () => client.disconnect(),
});
