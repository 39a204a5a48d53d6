// What every client here has in common: one JSON line per happening on standard output, one JSON command per line on
// standard input. A client that has nothing left to do ends by itself once its input is closed.
"use strict";

const readline = require("node:readline");

exports.options = JSON.parse(process.argv[2] ?? "{}");

exports.tell = (what, more) => console.log(JSON.stringify({ what, at: Date.now(), ...more }));

exports.obey = (commands) => {
  readline.createInterface({ input: process.stdin }).on("line", async (line) => {
    const { do: name, ...more } = JSON.parse(line);
    await commands[name](more);
  });
};
