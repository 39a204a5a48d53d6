// The old line of the official client (3.1, CommonJS): cometd3.cjs OPTIONS
"use strict";

const { options, tell, obey } = require("./peer.cjs");
require("cometd-nodejs-client1").adapt();
const { CometD } = require("cometd3");
const AckExtension = require("cometd3/AckExtension");

import("./official.mjs").then(({ start, withHeaders }) => {
  window.WebSocket = withHeaders(window.WebSocket, options);
  obey(start(CometD, AckExtension, options, tell));
});
