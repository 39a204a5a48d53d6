// The old line of the official client (3.1, CommonJS): listen.cjs URL AUTHORIZATION REFERENCE TOPIC...
"use strict";

require("cometd-nodejs-client1").adapt();
const { CometD } = require("cometd3");

const [url, authorization, reference, ...topics] = process.argv.slice(2);
const client = new CometD();
let seen = false;

function hear(message) {
  if (message.data === undefined) return; // a pattern brings the client's own meta messages too
  console.log(`MESSAGE ${JSON.stringify({ channel: message.channel, data: message.data })}`);
  seen = seen || message.data.referenceId === reference;
  if (seen && message.channel === "/me/internal") {
    client.disconnect((reply) => process.exit(reply.successful ? 0 : 1));
  }
}

client.configure({ url, requestHeaders: { Authorization: authorization }, logLevel: "warn" });
client.handshake((reply) => {
  if (!reply.successful) {
    console.log(`REFUSED ${JSON.stringify(reply)}`);
    process.exit(1);
  }
  let waiting = topics.length;
  client.batch(() => {
    for (const topic of topics) {
      client.subscribe(topic, hear, (answer) => {
        waiting -= 1;
        if (!answer.successful) process.exit(1);
        if (waiting === 0) console.log(`LISTENING over ${client.getTransport().getType()}`);
      });
    }
  });
});
