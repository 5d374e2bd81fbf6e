/** The contract of SipPort: what every adapter must do, as cases without a test runner. */

import type { SipPort } from '../ports.js';

/** An adapter under test. */
export interface SipPortUnderTest {
  readonly port: SipPort;
  /** Where it listens once started. */
  address(): { readonly transport: 'udp' | 'tcp'; readonly address: string; readonly port: number };
  /** Moves the time of the adapter on. */
  advance(ms: number): void;
}

/** Makes an adapter that is not started. The case starts and stops it. */
export type MakeSipPort = (transport: 'udp' | 'tcp') => SipPortUnderTest;

export const sipPortContract: {
  readonly name: string;
  run(make: MakeSipPort): Promise<void>;
}[] = [];
