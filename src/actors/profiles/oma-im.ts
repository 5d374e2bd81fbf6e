/** The profile of OMA SIMPLE IM: one session for all messages, whole SIP messages first (D-47). */

import type { Profile } from '../profile.js';

export const omaIm: Profile = {
  delivery: {
    forms: {
      pager: ['message/sipfrag', 'message/sip', 'message/cpim'],
      large: ['multipart/mixed', 'message/msrp', 'original', 'message/cpim'],
    },
    bySender: false,
    carryMax: 0,
    lookAhead: 0,
  },
  sentTypes: ['message/sipfrag', 'message/sip', 'message/msrp', 'message/cpim', 'multipart/mixed'],
  invitation: {
    identity: {},
    referredBy: false,
    copied: [],
    acceptContact: '*;+g.oma.sip-im;require;explicit',
  },
};
