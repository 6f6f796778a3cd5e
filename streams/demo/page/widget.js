// Posts what the widget would post about invented calls: the few events that a call record is made of.
"use strict";

const element = (id) => document.getElementById(id);
const post = (event) => parent.postMessage(event, "*");
const random = (from, to) => Math.round(from + Math.random() * (to - from));
const hex = (length) => Array.from({ length }, () => random(0, 15).toString(16)).join("");

// The same user in all tabs, as with the real widget.
const loginNumber = "+16505550100*701";
let call = null;

function fresh() {
  const callId = hex(24);
  const session = hex(32);
  const now = Date.now();
  return {
    id: callId + hex(10), callId, direction: "Inbound", callStatus: "webphone-session-connecting",
    from: `+1415555${random(100, 199).toString().padStart(4, "0")}`, to: loginNumber.slice(1),
    creationTime: now, lastActiveTime: now, isOnHold: false, isOnMute: false, isOnFlip: false, isOnTransfer: false,
    isToVoicemail: false, isForwarded: false, isReplied: false, minimized: false, recordStatus: "webphone-record-idle",
    partyData: { partyId: `p-${session}-2`, sessionId: `s-${session}` }, cached: false, removed: false,
    callQueueName: null,
  };
}

function tell(kind, change) {
  Object.assign(call, change, { lastActiveTime: Date.now() });
  post({ type: `rc-call-${kind}-notify`, call: { ...call } });
}

function presence(telephonyStatus) {
  post({ type: "rc-adapter-syncPresence", telephonyStatus, userStatus: "Available", dndStatus: "TakeAllCalls" });
}

// What can be done in a state, and what is posted then.
const STEPS = {
  Idle: {
    ring() { call = fresh(); tell("ring", {}); presence("Ringing"); return "Ringing"; },
  },
  Ringing: {
    answer() {
      tell("start", { callStatus: "webphone-session-connected", startTime: Date.now() });
      presence("CallConnected");
      return "Talking";
    },
    end() { return ended(); },
  },
  Talking: {
    hold() {
      tell("hold", { callStatus: "webphone-session-onHold", isOnHold: true });
      presence("OnHold");
      return "On hold";
    },
    end() { return ended(); },
  },
  "On hold": {
    hold() {
      tell("resume", { callStatus: "webphone-session-connected", isOnHold: false });
      presence("CallConnected");
      return "Talking";
    },
    end() { return ended(); },
  },
};

function ended() {
  tell("end", { endTime: Date.now() });
  call = null;
  presence("NoCall");
  return "Idle";
}

let state = "Idle";
function step(name) {
  state = STEPS[state][name]?.() ?? state;
  element("state").textContent = call ? `${state} · ${call.from}` : state;
  element("hold").textContent = state === "On hold" ? "Resume" : "Hold";
  for (const button of document.querySelectorAll("button")) button.disabled = !(button.id in STEPS[state]);
}

function byItself() {
  const answered = ["answer", "answer", "answer", "end"];
  const likely = { Idle: ["ring"], Ringing: answered, Talking: ["hold", "end", "end"], "On hold": ["hold"] };
  if (element("auto").checked) step(likely[state][random(0, likely[state].length - 1)]);
  setTimeout(byItself, random(1500, 5000));
}

addEventListener("message", (message) => {
  if (message.data?.type === "rc-adapter-webphone-sessions-sync")
    post({ type: "rc-webphone-sessions-sync", calls: call ? [{ ...call }] : [] });
});
for (const button of document.querySelectorAll("button")) button.addEventListener("click", () => step(button.id));
element("user").textContent = loginNumber;
post({ type: "rc-login-status-notify", loggedIn: false });
post({ type: "rc-login-status-notify", loggedIn: true, loginNumber });
presence("NoCall");
step("none");
setTimeout(byItself, 1500);
