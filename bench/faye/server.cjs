// The load of the benchmark on faye: takes the same commands as bench/delivery/site.py and says the same.
// usage: node server.cjs TIMEOUT_MS CLIENTS

const http = require("node:http");
const readline = require("node:readline");
const faye = require("faye");

const timeoutS = Number(process.argv[2]) / 1000;
const bayeux = new faye.NodeAdapter({ mount: "/cometd", timeout: timeoutS });
const publisher = bayeux.getClient();
const sent = new Map();
const clients = Number(process.argv[3]);

// As long as the project's own server keeps an idle connection.
const server = http.createServer({ keepAliveTimeout: 75_000 });
bayeux.attach(server);

function publish(channel, owner, size) {
  const seq = (sent.get(channel) ?? 0) + 1;
  sent.set(channel, seq);
  const at = process.hrtime.bigint();
  publisher.publish(channel, { owner, seq, at_ns: Number(at), text: "x".repeat(size) });
}

function obey(line) {
  const [word, number] = line.split(" ");
  if (word === "own") {
    for (let n = 0; n < clients; n += 1) publish(`/own/${n}`, n, Number(number));
  } else if (word === "shared") {
    publish("/shared", -1, Number(number));
  } else {
    throw new Error(`unknown command ${line}`);
  }
}

server.listen(0, "127.0.0.1", 4096, () => console.log(server.address().port));
readline.createInterface({ input: process.stdin }).on("line", obey).on("close", () => process.exit(0));
