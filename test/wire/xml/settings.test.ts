/** Service settings, by vectors. */

import { describe, expect, test } from 'vitest';
import { parseSettings, writeSettings } from '../../../src/wire/xml/settings.js';
import type { ServiceSettings } from '../../../src/wire/xml/settings.js';
import { codeOf, vectors } from '../vectors.js';

describe.each(vectors<ServiceSettings>('settings'))('$name', (given) => {
  const { bytes, expect: settings, error } = given;

  test('whole, with trailing octets', () => {
    if (error !== undefined) {
      expect(codeOf(() => parseSettings(bytes))).toBe(error);
      return;
    }
    expect(parseSettings(bytes)).toEqual(settings);
    const trailing = Buffer.concat([bytes, Buffer.from('x')]);
    expect(codeOf(() => parseSettings(trailing))).toBe('XML_NOT_WELL_FORMED');
  });
});

test.each([{}, { offlineDelivery: true }, { offlineDelivery: false }])(
  'what is written is what is parsed: %j',
  (settings) => {
    expect(parseSettings(writeSettings(settings))).toEqual(settings);
  },
);
