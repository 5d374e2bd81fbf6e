/** The published tools that verify: machines in other forms, explorer, simulator, traces. */

export { machineNamed, machineNames } from './catalogue.js';
export { exportFormats, exportMachine, type ExportFormat } from './export.js';
export { toMermaid, toPage, toIndex, countsOf } from './export-mermaid.js';
export { fromScxml, toScxml } from './export-scxml.js';
export { toDot } from './export-dot.js';
export type { Capture, Observed } from './capture/observed.js';
export { readCapture } from './capture/read.js';
export { captureLimits, type CaptureLimits } from './capture/limits.js';
export { writePcap, writePcapng } from './capture/write.js';
export { VerifyError } from './verify-error.js';
export { defaultBounds, type AccountState, type Bounds } from './bounded-account.js';
export { describeChoice, type Choice, type Option } from './choice.js';
export { counterexampleFile, readCounterexample, replay, type Replay } from './counterexample.js';
export {
  explore,
  type Counterexample,
  type Exploration,
  type ExploreOptions,
  type Statistics,
} from './explorer.js';
export { goals, invariants, stepProperties, type Goal, type Invariant } from './invariants.js';
export { toPromela, type PromelaExport, type PromelaOptions } from './export-promela.js';
export { scenarios, type Scenario } from './promela-scenarios.js';
export { formulas } from './promela-model.js';
export { callOf, ladderSvg, ladderText, whyOf, type Ladder, type Rung } from './ladder.js';
export { lineTrace, readTrace, type TraceRecord } from './trace-record.js';
export type { SimulationProperty, SimulationView } from './simulation-property.js';
export { shrink, type SimulationFailure, type Smaller } from './simulation-shrink.js';
export {
  faultKinds,
  simulate,
  type FaultKind,
  type SimulationFigures,
  type SimulationOptions,
  type SimulationResult,
} from './simulator.js';
export { checkTrace, type CheckOptions } from './check/check.js';
export type { Clause } from './check/clause.js';
export type { JudgedUser, Unjudged, Verdict, Violation } from './check/verdict.js';
export { simulateWire } from './simulation/wire-simulator.js';
export {
  wireFaultKinds,
  type WireFaultKind,
  type WireFigures,
  type WireOptions,
  type WireResult,
} from './simulation/wire-options.js';
