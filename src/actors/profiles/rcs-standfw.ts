/**
 * The profile of deployed RCS clients: chat store-and-forward (1.6). They know the service by the
 * asserted identity, the sender by Referred-By, and take CPIM only.
 */

import type { Profile } from '../profile.js';

const service = 'rcse-standfw';

export const rcsStandfw: Profile = {
  delivery: {
    forms: {
      pager: ['message/cpim', 'message/sipfrag', 'message/sip'],
      large: ['message/cpim', 'original', 'multipart/mixed', 'message/msrp'],
    },
    bySender: true,
    carryMax: 16_384,
    lookAhead: 256,
  },
  sentTypes: ['message/cpim', 'message/sipfrag', 'message/sip', 'message/msrp', 'multipart/mixed'],
  invitation: {
    // Without a message in the INVITE this identity would announce reports: rule 2.
    identity: { carried: service, notification: service },
    referredBy: true,
    copied: ['Subject', 'Contribution-ID', 'Conversation-ID', 'InReplyTo-Contribution-ID'],
    acceptContact: '*;+g.oma.sip-im',
  },
};
