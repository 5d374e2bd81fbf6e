/** How much of a capture is held at a time, and how much of it is told. */

export interface CaptureLimits {
  /** Octets of one frame; what libpcap itself goes by. */
  readonly frameBytes: number;
  /** Octets of one block of a pcapng file, and of one line. */
  readonly blockBytes: number;
  /** IP packets of which fragments are waited for. */
  readonly fragmentedPackets: number;
  /** TCP connections that are followed at a time. */
  readonly connections: number;
  /** Octets of one direction that wait for what comes before them. */
  readonly aheadBytes: number;
  /** Octets that wait in all connections and packets together. */
  readonly heldBytes: number;
  /** Octets that are kept of one message. */
  readonly messageBytes: number;
  /** Octets that are kept of all messages; beyond them bodies are left out. */
  readonly bytes: number;
  /** Messages; those behind them are counted. */
  readonly messages: number;
  readonly remarks: number;
}

export const captureLimits: CaptureLimits = {
  frameBytes: 262_144,
  blockBytes: 16_777_216,
  fragmentedPackets: 256,
  connections: 10_000,
  aheadBytes: 1_048_576,
  heldBytes: 67_108_864,
  messageBytes: 1_114_112,
  bytes: 536_870_912,
  messages: 1_000_000,
  remarks: 1_000,
};
