// The newest official client (ES modules): listen.mjs URL AUTHORIZATION REFERENCE TOPIC...
import { adapt } from "cometd-nodejs-client2";
import { CometD } from "cometd9";

adapt();
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
  for (const topic of topics) {
    client.subscribe(topic, hear, (answer) => {
      waiting -= 1;
      if (!answer.successful) process.exit(1);
      if (waiting === 0) console.log(`LISTENING over ${client.getTransport().type}`);
    });
  }
});
