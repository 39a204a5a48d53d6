// The official client, old or new, in Node or in a page: tells every message it sends and every answer it gets.

const META = ["handshake", "connect", "subscribe", "unsubscribe", "disconnect"];

// options: url, transport, topics, authorization, cookie, ack. Returns the commands it takes.
export function start(CometD, AckExtension, options, tell) {
  const client = new CometD();
  const subscriptions = new Map();

  function subscribe(topic) {
    subscriptions.set(topic, client.subscribe(topic, (message) => {
      if (message.data === undefined) return; // a pattern brings the client's own meta messages too
      tell("message", { channel: message.channel, data: message.data });
    }));
  }

  for (const type of client.getTransportTypes()) {
    if (options.transport !== "any" && type !== options.transport) client.unregisterTransport(type);
  }
  if (options.ack) client.registerExtension("ack", new AckExtension());
  client.registerExtension("teller", {
    outgoing: (message) => {
      tell("sent", { channel: message.channel });
      return message;
    },
  });
  for (const name of META) {
    client.addListener(`/meta/${name}`, ({ channel, subscription, successful, error, advice, ext, failure }) => {
      const transport = client.getTransport()?.getType?.() ?? client.getTransport()?.type;
      const status = failure?.httpCode;
      tell("reply", { channel, subscription, successful, error, advice, ack: ext?.ack, status, transport });
    });
  }
  // The library forgets its subscriptions with the session; applications subscribe wherever a handshake succeeds.
  client.addListener("/meta/handshake", (reply) => {
    if (reply.successful) client.batch(() => options.topics.forEach(subscribe));
  });

  const requestHeaders = {};
  if (options.authorization) requestHeaders.Authorization = options.authorization;
  if (options.cookie) requestHeaders.Cookie = options.cookie;
  client.configure({ url: options.url, requestHeaders, logLevel: "error" });
  client.handshake();
  return {
    subscribe: ({ topic }) => subscribe(topic),
    unsubscribe: ({ topic }) => client.unsubscribe(subscriptions.get(topic)),
    disconnect: () => client.disconnect(),
  };
}

// The adapters for Node have no way to say which headers an upgrade carries; applications put a class in between.
export function withHeaders(WebSocket, options) {
  const headers = {};
  if (options.authorization) headers.Authorization = options.authorization;
  if (options.cookie) headers.Cookie = options.cookie;
  return class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols, { headers });
    }
  };
}
