/** Every case, in the order of the report. */

import type { Case } from './case.js';
import { conferenceCases } from './cases/conference.js';
import { deletionCases } from './cases/deletion.js';
import { digestCases } from './cases/digest.js';
import { largeMessageCases } from './cases/large-message.js';
import { messageWaitingCases } from './cases/message-waiting.js';
import { metadataCases } from './cases/metadata.js';
import { pagerMessageCases } from './cases/pager-message.js';
import { retrievalRequestCases } from './cases/retrieval-request.js';

export const allCases: readonly Case[] = [
  ...pagerMessageCases,
  ...largeMessageCases,
  ...conferenceCases,
  ...retrievalRequestCases,
  ...messageWaitingCases,
  ...deletionCases,
  ...metadataCases,
  ...digestCases,
];
