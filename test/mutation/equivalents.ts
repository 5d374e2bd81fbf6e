/** Mutants that do what the machine does, by machine and name, each with the reason. */

const onlyTimer = 'no other timer runs in this state';
const lastTimer = 'the other timer that runs in this state is asked for before';
const hasFired = 'the timer has just fired, and the machine ends';
const onlyWayOut = 'the state is left only when this timer has fired';

export const equivalents: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'sip-invite-client': {
    'calling timer.fired 1: without guard isTimer': lastTimer,
    'proceeding timer.fired 1: without guard isTimer': lastTimer,
    'completed timer.fired 0: without guard isTimer': onlyTimer,
    'accepted timer.fired 0: without guard isTimer': onlyTimer,
    'accepted exit: without timer.stop (0)': onlyWayOut,
  },
  'sip-client': {
    'trying timer.fired 1: without guard isTimer': lastTimer,
    'proceeding timer.fired 1: without guard isTimer': lastTimer,
    'completed timer.fired 0: without guard isTimer': onlyTimer,
    'trying timer.fired 1: without timer.stop (2)': hasFired,
    'proceeding timer.fired 1: without timer.stop (2)': hasFired,
  },
  'sip-invite-server': {
    'proceeding timer.fired 0: without guard isTimer': onlyTimer,
    'completed timer.fired 1: without guard isTimer': lastTimer,
    'confirmed timer.fired 0: without guard isTimer': onlyTimer,
    'confirmed exit: without timer.stop (0)': onlyWayOut,
    'accepted timer.fired 0: without guard isTimer': onlyTimer,
    'accepted exit: without timer.stop (0)': onlyWayOut,
  },
  'sip-server': {
    'trying timer.fired 0: without guard isTimer': onlyTimer,
    'proceeding timer.fired 0: without guard isTimer': onlyTimer,
    'completed timer.fired 0: without guard isTimer': onlyTimer,
  },
};
