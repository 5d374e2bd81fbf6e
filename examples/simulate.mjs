// A property of your own over simulated hours in which processes, disks, networks and peers fail.
import { simulate } from 'poste-restante/verify';

const fair = {
  name: 'fair',
  broken({ messages, isQuiet }) {
    if (!isQuiet) return undefined;
    const waiting = [...messages].filter(({ status }) => status === 'pending');
    return waiting.length > 0 ? `${waiting.length} senders have never had an answer` : undefined;
  },
};
const { failure, figures } = await simulate({ seed: 7, hours: 3, users: 20, properties: [fair] });
console.log(`${figures.messages} messages, ${figures.faults} faults, ${figures.crashes} crashes`);
if (failure) throw new Error(`${failure.property}: ${failure.text}`);

// What is to be found, is found, with the hour in which it was.
const idle = {
  name: 'idle',
  broken: ({ figures: { messages } }) => (messages > 0 ? 'somebody has written' : undefined),
};
const found = await simulate({ seed: 7, hours: 3, users: 20, properties: [idle] });
console.log(`${found.failure.property}, after ${found.failure.hour} h: ${found.failure.text}`);
