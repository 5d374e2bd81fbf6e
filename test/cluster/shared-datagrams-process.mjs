/** Takes a socket over, and sends by it when it is told whom. */

import process from 'node:process';
import { SharedDatagrams } from '../../dist/transport/sip/shared-datagrams.js';

let strays = 0;
const shared = new SharedDatagrams(() => strays++);
process.on('message', (message, socket) => {
  if (socket) {
    shared.add(0, socket);
    process.send('taken');
  } else {
    const bytes = Buffer.from(`answer, strays ${strays}`);
    shared.send(0, bytes, '127.0.0.1', message.to);
  }
});
process.send('ready');
