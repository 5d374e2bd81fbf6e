/** Ours and, where asked for, the peers, each on a port of its own. */

import { Ours } from '../lib/ours.mjs';
import { Kamailio } from '../peers/kamailio.mjs';

/** `ours`: one server for each of these variants of the command line, by name. */
export async function openAll(bench, { ours = { ours: [] }, peers = bench.peers, children } = {}) {
  const servers = [];
  try {
    for (const [name, options] of Object.entries(ours)) {
      servers.push(Object.assign(await new Ours({ options }).open(), { name }));
    }
    for (const database of peers) {
      bench.say(`starting Kamailio on ${database}`);
      servers.push(await new Kamailio(database, { children }).open());
    }
  } catch (error) {
    await closeAll(servers);
    throw error;
  }
  return servers;
}

export async function closeAll(servers) {
  for (const server of servers) await server.close();
}

export function targetOf({ port }, transport = 'udp') {
  return { target: `127.0.0.1:${port}`, domain: 'example.test', transport };
}

/** SQLite under more than one writer refuses some of them. */
export function outstandingFor({ name }, many) {
  return name.includes('sqlite') ? 1 : many;
}
