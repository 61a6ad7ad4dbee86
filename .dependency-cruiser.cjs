/**
 * The arrows between the parts: what is not listed in `arrows` is an error. Inside a part anything but a cycle is allowed, save the rules below.
 * @type {import('dependency-cruiser').IConfiguration}
 */
const arrows = {
  machine: [],
  kernel: ['src/machine/platform/'],
  compiler: ['src/machine/isa/', 'src/kernel/abi/'],
  replay: ['src/machine/index.ts', 'src/machine/isa/', 'src/compiler/image/', 'src/kernel/abi/'],
  fuzz: [
    'src/machine/index.ts',
    'src/machine/isa/',
    'src/replay/index.ts',
    'src/compiler/index.ts',
    'src/compiler/image/',
    'src/kernel/abi/',
  ],
  explorer: ['src/machine/index.ts', 'src/replay/index.ts', 'src/compiler/image/', 'src/kernel/abi/'],
  // replay/record.ts is a second door: what only records loads in half of the time.
  cli: ['src/(machine|compiler|replay|fuzz|explorer)/index.ts', 'src/replay/(record|whole-file).ts'],
};

const between = Object.entries(arrows).map(([part, allowed]) => ({
  name: `arrows-of-${part}`,
  comment: `src/${part} may import: itself${allowed.map((to) => `, ${to}`).join('')}`,
  severity: 'error',
  from: { path: `^src/${part}/` },
  to: { path: '^src/', pathNot: [`^src/${part}/`, ...allowed.map((to) => `^${to}`)] },
}));

module.exports = {
  forbidden: [
    ...between,
    { name: 'no-cycles', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    {
      name: 'leaves',
      comment: 'isa, platform, abi and image are leaves of their parts',
      severity: 'error',
      from: { path: '^src/(machine/isa|machine/platform|kernel/abi|compiler/image)/' },
      to: { path: '^src/', pathNot: ['^src/$1/', '^src/machine/isa/bug.ts'] },
    },
    {
      name: 'devices-behind-a-bus',
      comment: 'cpu, memory and translator never see a device',
      severity: 'error',
      from: { path: '^src/machine/(cpu|memory|translator)/' },
      to: { path: '^src/machine/devices/' },
    },
    {
      name: 'no-host-in-the-machine',
      comment: 'machine and kernel: no node: modules; machine may use seedrandom and xxhash only',
      severity: 'error',
      from: { path: '^src/(machine|kernel)/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev'], pathNot: ['node_modules/(@types/)?(seedrandom|xxhash-wasm)/'] },
    },
    {
      name: 'page-of-the-explorer',
      comment: 'runs in a browser: of the project it knows the protocol alone',
      severity: 'error',
      from: { path: '^src/explorer/page/' },
      to: { path: '^src/', pathNot: ['^src/explorer/page/', '^src/explorer/protocol.ts$'] },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      comment: 'the page of the explorer is built before it is installed',
      from: { path: '^src/', pathNot: '^src/explorer/page/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(kernel|compiler/library)/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['palindrome', 'import', 'node', 'default', 'types'] },
  },
};
