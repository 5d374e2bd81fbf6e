import { delivery } from '../../src/machines/client/delivery.js';
import { largeMessage } from '../../src/machines/client/large-message.js';
import { retrieval } from '../../src/machines/client/retrieval.js';
import { waits, type Told } from './drive.js';
import { answered, expired, failed, describeMachines, type Scenarios } from './scenarios.js';

const retrieve: Told = { type: 'retrieve', waits };
const peer = { path: ['msrp://s:1/x;tcp'], active: true };
const opened: Told = { ...answered(200), peer };
const bye: Told = { type: 'bye.received', at: 5, transaction: 't' };
const connected: Told = { type: 'msrp.connected', at: 2 };
const lost: Told = { type: 'msrp.lost', at: 3, cause: 'closed' };
const withdraw: Told = { type: 'withdraw', at: 4 };
const retrievals: Scenarios = {
  'IMSpec-DMT-C-003: takes everything until the server ends it': [
    retrieve,
    opened,
    connected,
    { type: 'progress', at: 3 },
    { ...bye, reason: 'SIP;cause=200' },
  ],
  'IMSpec-DMT-C-002: asks for those named': [
    { ...retrieve, ids: ['sip:1@h'] },
    answered(403, { warning: '127 Service not authorised' }),
  ],
  'has no server': [retrieve, failed()],
  'is cancelled when no answer comes': [retrieve, expired('answer', 10), answered(487, {}, 11)],
  'is cancelled by the user, a 200 crosses': [retrieve, withdraw, opened, failed()],
  'is cancelled, and no end is told': [retrieve, withdraw, expired('farewell', 5)],
  'is cancelled, and the INVITE fails': [retrieve, withdraw, failed()],
  'is opened without usable SDP': [retrieve, answered(200), answered(200)],
  'is not bound in time': [retrieve, opened, expired('bind', 21), expired('farewell', 22)],
  'loses the connection before it is bound': [retrieve, opened, lost, bye],
  'is ended by the server before it is bound': [retrieve, opened, bye],
  'is ended by the user before it is bound': [retrieve, opened, withdraw, answered(200)],
  'loses the connection': [retrieve, opened, connected, lost],
  'falls silent': [retrieve, opened, connected, expired('idle', 40)],
  'brings more than there is room for': [retrieve, opened, connected, { type: 'overflow', at: 3 }],
  'is ended by the user': [retrieve, opened, connected, withdraw, answered(481)],
};

const invited: Told = {
  type: 'invite.received',
  transaction: 'i',
  willing: true,
  busy: false,
  peer,
  waits,
};
const acknowledged: Told = { type: 'acknowledged', at: 1 };
const unacknowledged: Told = { type: 'unacknowledged', at: 32 };
const deliveries: Scenarios = {
  'takes what is pushed until the server ends it': [
    invited,
    acknowledged,
    connected,
    { type: 'progress', at: 3 },
    bye,
  ],
  'is not wanted': [{ ...invited, willing: false }],
  'is one too many': [{ ...invited, busy: true }],
  'offers nothing that serves': [{ ...invited, peer: undefined }],
  'is not acknowledged': [invited, unacknowledged],
  'is not acknowledged although messages came': [invited, connected, acknowledged, unacknowledged],
  'is not bound in time': [invited, expired('bind', 20), expired('farewell', 21)],
  'loses the connection before it is bound': [invited, lost, bye],
  'is ended by the server before it is bound': [invited, bye],
  'is ended by the user before it is bound': [invited, withdraw, answered(200)],
  'loses the connection': [invited, connected, lost, failed()],
  'falls silent': [invited, connected, expired('idle', 40), unacknowledged],
  'brings more than there is room for': [invited, connected, { type: 'overflow', at: 3 }],
  'is ended by the user': [invited, connected, withdraw],
};

const sendLarge: Told = { type: 'submit', size: 100, waits };
const receiving: Told = { ...answered(200), peer: { ...peer, maxSize: 100 } };
const sent = (status: number): Told => ({ type: 'msrp.sent', at: 3, status });
const reported = (status: number): Told => ({ type: 'msrp.reported', at: 4, status });
const largeMessages: Scenarios = {
  'D-33: is stored when the REPORT says so': [
    sendLarge,
    receiving,
    connected,
    { type: 'progress', at: 3 },
    sent(200),
    reported(200),
    answered(200),
  ],
  'D-33: is taken by the next hop, and no REPORT comes': [
    sendLarge,
    receiving,
    connected,
    sent(200),
    expired('report', 34),
    failed(),
  ],
  'is reported before the response to the last chunk': [
    sendLarge,
    receiving,
    connected,
    reported(200),
    bye,
  ],
  'D-16: is refused while it is sent': [sendLarge, receiving, connected, sent(413)],
  'D-16: is declined': [sendLarge, answered(603)],
  'RFC 4975 8.6: is larger than max-size': [
    { ...sendLarge, size: 101 },
    receiving,
    expired('farewell', 2),
  ],
  'has no server': [sendLarge, failed()],
  'is cancelled when no answer comes': [sendLarge, expired('answer', 10), answered(487, {}, 11)],
  'is cancelled by the user, a 200 crosses': [sendLarge, withdraw, receiving],
  'is cancelled, and no end is told': [sendLarge, withdraw, expired('farewell', 5)],
  'is cancelled, and the INVITE fails': [sendLarge, withdraw, failed()],
  'is opened without usable SDP': [sendLarge, answered(200)],
  'is not bound in time': [sendLarge, receiving, expired('bind', 21)],
  'loses the connection before it is bound': [sendLarge, receiving, lost],
  'is ended by the server before it is bound': [sendLarge, receiving, bye],
  'is ended by the user before it is bound': [sendLarge, receiving, withdraw],
  'loses the connection': [sendLarge, receiving, connected, lost],
  'is ended by the server': [sendLarge, receiving, connected, bye],
  'falls silent': [sendLarge, receiving, connected, expired('idle', 40)],
  'is ended by the user': [sendLarge, receiving, connected, withdraw],
  'loses the connection before the REPORT': [sendLarge, receiving, connected, sent(200), lost],
  'is ended by the server before the REPORT': [sendLarge, receiving, connected, sent(200), bye],
  'is ended by the user before the REPORT': [sendLarge, receiving, connected, sent(200), withdraw],
};

describeMachines([
  ['retrieval', retrieval, retrievals],
  ['delivery', delivery, deliveries],
  ['large-message', largeMessage, largeMessages],
]);
