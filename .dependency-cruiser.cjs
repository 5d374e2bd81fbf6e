/** The layers of docs/architecture.md as rules; type-only imports count. */

const only = (name, from, allowed, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { pathNot: allowed },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src', pathNot: '^src/(main|index)\\.ts$' },
      to: {},
    },
    only(
      'wire-knows-wire',
      '^src/wire/',
      ['^src/wire/', 'node_modules/saxes/', '^(node:)?(buffer)$'],
      'Formats are pure.',
    ),
    only(
      'machines-know-machines',
      '^src/machines/',
      ['^src/machines/', 'node_modules/xstate/'],
      'Decisions are pure.',
    ),
    only(
      'client-machines-stand-alone',
      '^src/machines/client/',
      ['^src/machines/client/', '^src/machines/step\\.ts$', 'node_modules/xstate/'],
      'The client has machines of its own.',
    ),
    only(
      'actors-know-ports',
      '^src/actors/',
      [
        '^src/actors/',
        '^src/machines/',
        '^src/wire/',
        '^src/ports(\\.ts$|/)',
        '^(node:)?(assert|crypto|net|events)',
      ],
      'Actors never know an adapter.',
    ),
    only(
      'transport-is-an-adapter',
      '^src/transport/',
      [
        '^src/transport/',
        '^src/wire/',
        '^src/ports(\\.ts$|/)',
        '^(node:)?(net|dgram|dns|dns/promises|events|assert|crypto|buffer|stream|os|tls|http|https|fs)$',
        'node_modules/(ws|@types/ws|drachtio-srf|fastify|@fastify/rate-limit)/',
      ],
      'Adapters know ports and wire.',
    ),
    only(
      'sip-and-msrp-apart',
      '^src/transport/sip/',
      [
        '^src/transport/sip/',
        '^src/wire/',
        '^src/ports(\\.ts$|/)',
        '^(node:)?[\\w/]+$',
        'node_modules/',
      ],
      'Adapters never know each other.',
    ),
    only(
      'msrp-and-sip-apart',
      '^src/transport/msrp/',
      [
        '^src/transport/msrp/',
        '^src/wire/',
        '^src/ports(\\.ts$|/)',
        '^(node:)?[\\w/]+$',
        'node_modules/',
      ],
      'Adapters never know each other.',
    ),
    only(
      'xcap-apart',
      '^src/transport/xcap/',
      [
        '^src/transport/xcap/',
        '^src/wire/',
        '^src/ports(\\.ts$|/)',
        '^(node:)?[\\w/]+$',
        'node_modules/',
      ],
      'Adapters never know each other.',
    ),
    only(
      'store-is-an-adapter',
      '^src/store/',
      [
        '^src/store/',
        '^src/wire/',
        '^src/ports(\\.ts$|/)',
        'node_modules/(level|classic-level|abstract-level|msgpackr)/',
        '^(node:)?\\w',
      ],
      'Adapters know ports and wire.',
    ),
    only(
      'admin-is-an-adapter',
      '^src/admin/',
      [
        '^src/admin/',
        '^src/wire/',
        '^src/ports(\\.ts$|/)',
        'node_modules/(fastify|@fastify|prom-client)/',
        '^(node:)?\\w',
      ],
      'Adapters know ports and wire.',
    ),
    only(
      'cluster-is-an-adapter',
      '^src/cluster/',
      ['^src/cluster/', '^src/wire/', '^src/ports(\\.ts$|/)', '^(node:)?\\w'],
      'Adapters know ports and wire.',
    ),
    only(
      'client-is-composed-in-one-place',
      '^src/client/(?!connect\\.ts)',
      [
        '^src/client/',
        '^src/machines/',
        '^src/wire/',
        '^src/ports(\\.ts$|/)',
        '^src/system\\.ts$',
        '^(node:)?\\w+',
      ],
      'Only connect.ts knows the transports.',
    ),
    {
      name: 'server-sees-everything-alone',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: '^src/(server|main|index|cli/|client/connect|testing/|verify/)',
      },
      to: { path: '^src/(server|main|index|config)\\.ts$', pathNot: '^src/config\\.ts$' },
    },
    {
      name: 'xstate-in-machines-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/machines/' },
      to: { path: 'node_modules/xstate/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node'],
    },
  },
};
