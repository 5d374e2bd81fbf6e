/** The machines of the four SIP transactions: the model the transport is held to. */

export { client } from './client.js';
export { inviteClient } from './invite-client.js';
export { inviteServer } from './invite-server.js';
export { server } from './server.js';
export { transactionStep } from './declaration.js';
export type { TransactionDefinition, TransactionTurn } from './declaration.js';
export type { TransactionEffect } from './effects.js';
export type { TransactionEvent, TransactionFacts, TransactionTimer } from './events.js';
