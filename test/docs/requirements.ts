/** Every chapter of docs/rfc.md. */

import type { Chapter } from './requirement.js';
import { serviceChapters } from './requirements-services.js';
import { sipChapters } from './requirements-sip.js';

export const chapters: readonly Chapter[] = [...sipChapters, ...serviceChapters];
