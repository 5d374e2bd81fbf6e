/**
 * The published helpers for those who write adapters: contract suites that know no test runner,
 * simulated ports, a clock that stands still, flows and ladders.
 */

export {
  everySipPortCapability,
  sipPortContract,
  sipPortContractOf,
  type MakeSipPort,
  type SipPortCapabilities,
  type SipPortCase,
  type SipPortUnderTest,
} from './sip-port-contract.js';
export { msrpPortContract, type MakeMsrpPort, type MsrpPortCase } from './msrp-port-contract.js';
export { storeContract, type StoreContractCase, type StoreHarness } from './store-contract.js';
export { CountingRandom, ManualClock } from './clock.js';
export {
  loopbackPeer,
  SimulatedMsrp,
  SimulatedSip,
  SimulatedXdms,
  type PortCall,
  type Watch,
} from './simulated-ports.js';
export {
  openSipPeer,
  RecordingHandler,
  requestOf,
  responseTo,
  type RequestSketch,
  type SipArrival,
  type SipPeer,
  type SipPlace,
  type SipTold,
} from './sip-peer.js';
export { bufferContent, MsrpRecorder, outgoing, type MsrpHeard } from './msrp-recorder.js';
export { FlowWorld, runFlow, type FlowOptions, type FlowStore } from './flow.js';
export { createLadder, type Ladder, type LadderOptions } from './ladder.js';
export { startXdmsPeer, type XdmsPeer, type XdmsPeerOptions } from './xdms.js';
