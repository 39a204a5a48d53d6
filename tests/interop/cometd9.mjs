// The newest official client (ES modules): cometd9.mjs OPTIONS
import { adapt } from "cometd-nodejs-client2";
import { CometD } from "cometd9";
import { AckExtension } from "cometd9/AckExtension.js";
import { start, withHeaders } from "./official.mjs";
import { obey, options, tell } from "./peer.cjs";

adapt();
window.WebSocket = withHeaders(window.WebSocket, options);
obey(start(CometD, AckExtension, options, tell));
