/** The paths that the tester plays. */

import type { Path } from './play.js';

export const paths: readonly Path[] = [
  [
    { do: 'submit', message: 0, kind: 'reports' },
    { do: 'submit', message: 1, kind: 'plain' },
    { do: 'register', client: 'im' },
    { do: 'accept', role: 'active' },
    { do: 'take' },
    { do: 'take' },
  ],
  [
    { do: 'subscribe' },
    { do: 'submit', message: 0, kind: 'plain' },
    { do: 'submit', message: 1, kind: 'urgent' },
    { do: 'retrieve', faults: ['identity'] },
    { do: 'retrieve', faults: ['tag', 'uri'] },
    { do: 'retrieve', faults: [], list: [1] },
    { do: 'take' },
    { do: 'retrieve', faults: [], list: [0, 'unknown'] },
    { do: 'take' },
    { do: 'delete', entry: 0 },
    { do: 'refresh' },
    { do: 'unsubscribe' },
  ],
  [
    { do: 'publish', deliver: false },
    { do: 'submit', message: 0, kind: 'brief' },
    { do: 'register', client: 'im' },
    { do: 'wait' },
  ],
];
