/** The public API for those who embed the server. */

export { settingsOf, readSettings, ConfigError } from './config.js';
export type { Settings, SettingsInput } from './config.js';
export { startServer, createLog } from './server.js';
export type { Server, ServerParts } from './server.js';
export { createActors } from './actors/node.js';
export type { Actors } from './actors/node.js';
export { AccountsError } from './actors/accounts-error.js';
export type { AccountsErrorCode } from './actors/accounts-error.js';
export type { ActorsOptions, Bounds } from './actors/options.js';
export type { AuthenticationBounds, AuthenticationOptions } from './actors/authentication.js';
export type {
  CredentialsPort,
  CredentialsQuery,
  UserCredentials,
} from './actors/authentication-credentials.js';
export { shardCount, shardOf } from './cluster/shard.js';
export { openLevelStore } from './store/level.js';
export { createMemoryStore } from './store/memory.js';
export { createSipEndpoint } from './transport/sip/endpoint.js';
export { MsrpError, msrpLimits } from './transport/msrp/options.js';
export { createMsrpEndpoint } from './transport/msrp/endpoint.js';
export { systemClock, systemRandom } from './system.js';
export { version } from './version.js';
export type * from './ports.js';
export type { LevelStore, LevelStoreLimits, LevelStoreOptions, LevelStats } from './store/level.js';
export type * from './transport/msrp/options.js';
export type * from './transport/sip/options.js';
export type * from './wire/sip/message.js';
export type * from './machines/facts.js';
