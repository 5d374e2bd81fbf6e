/** What the world of the Promela model does, and how often. */

/** How often the world may do what it does. */
export interface Scenario {
  readonly name: string;
  readonly messages: 1 | 2;
  readonly registrations: number;
  readonly retrievals: number;
  /** Deletions of the first message by its user. */
  readonly deletions: number;
  /** Refusals, silence, broken connections, and clients that leave. */
  readonly faults: number;
  readonly crashes: number;
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'push',
    ...{ messages: 2, registrations: 2, retrievals: 0, deletions: 0, faults: 2, crashes: 1 },
  },
  {
    name: 'retrieval',
    ...{ messages: 1, registrations: 1, retrievals: 1, deletions: 1, faults: 1, crashes: 1 },
  },
];
