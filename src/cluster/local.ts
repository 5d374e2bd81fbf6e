/** Placement on a single node: it owns every account. */

import type { PlacementPort } from '../ports.js';

export const localPlacement: PlacementPort = { owns: () => true };
