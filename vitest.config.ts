import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig, type Plugin } from 'vitest/config'
import { writeDevAssets } from './infra/program/assets.ts'

/** Sets secrets for the tests. The declaration lists the required ones, and the stack generates the real ones. */
Object.assign(process.env, {
  ADMIN_TOKEN: `adm_dev_${'a'.repeat(64)}`,
  MASTER_KEY: `1:${btoa('m'.repeat(32))}`,
  SESSION_KEY: `1:${btoa('s'.repeat(32))}`,
})

/** Must be the first setup file: a module loaded after it belongs to one test file. */
const OWN_MODULES = './test/support/setup/own-modules.ts'

/** Reads the log of the Worker, and resets its state after each file. */
const SETUP = [OWN_MODULES, './test/support/setup/witness.ts', './test/support/setup/shared-runtime.ts']

/**
 * How long a test may take, ms: three to ten times the longest one of its project, alone on two slow cores. A test
 * that takes longer hangs.
 */
const TIMEOUTS_MS: Readonly<Record<string, number>> = {
  unit: 20_000,
  // 3,000 histories of a seed, and planted bugs, in one test each.
  simulation: 180_000,
  // A test of records fills a space, one of identity waits for a provider: 9 s.
  worker: 60_000,
  // 200 tenants, all rows of a space tampered with: 40 s.
  security: 180_000,
  // A delivery runs the CLI, the doctor, smoke checks and a rollback, each a process: 30 s.
  infra: 120_000,
  // Four lives of a runtime that is killed: 10 s.
  integration: 60_000,
  // Devices that wait for a session to expire, and for a second try.
  client: 60_000,
  // Tabs that are frozen until another one takes over: 15 s.
  browser: 120_000,
  // The CLI of the vendor with its plugins.
  pulumi: 180_000,
  // The replication tests of RxDB.
  clients: 180_000,
}

// Holds the folders of all tests of a run. This file is loaded several times.
if (process.env.FOLDER_OF_TESTS === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'chronicle-tests-'))
  Object.assign(process.env, { FOLDER_OF_TESTS: folder, TMPDIR: folder })
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
}

// A fresh clone does not have the folder of static assets that the declaration names.
await writeDevAssets(import.meta.dirname)

export default defineConfig({
  test: {
    onConsoleLog: (log) => !isRequestLog(log),
    projects: [
      { test: project('unit') },
      { test: project('simulation') },
      inRuntime({ test: { ...project('worker'), setupFiles: SETUP } }),
      inRuntime({
        test: {
          ...project('security'),
          setupFiles: SETUP,
          // `npm run attack` sets it, to run the tests that take minutes as a whole and not as a sample.
          provide: { thorough: process.env.ATTACK === 'thorough' },
          ...(process.env.ATTACK === 'thorough' && { testTimeout: 3_600_000 }),
        },
      }),
      // GitHub's language service imports JSON in a way that Node refuses.
      { test: { ...project('infra'), server: { deps: { inline: [/@actions\//] } } } },
      { test: project('integration') },
      { test: project('client') },
      { test: project('browser') },
      { test: { ...project('pulumi'), globalSetup: './test/pulumi/setup.ts' } },
      { plugins: [frameworks()], test: { ...project('clients'), ...clients() } },
    ],
  },
})

/**
 * Runs the tests in workerd beside the Worker and its static assets, in one runtime: its start takes longer than most
 * files.
 */
function inRuntime<T extends object>(config: T) {
  const plugin = cloudflareTest({
    wrangler: { configPath: './worker/wrangler.toml' },
    // The runtime's own warnings are about what tests do on purpose.
    verbose: false,
    miniflare: { ratelimits: unlimited(['AUTH_LIMIT', 'FAILURE_LIMIT', 'SYNC_LIMIT']) },
  })
  return { ...config, logLevel: 'error' as const, plugins: [plugin] }
}

/**
 * Runs four files at a time on two cores, because many tests wait for processes of their own. The files of a project
 * share the processes: packages are loaded once in each, modules of ours for each file.
 */
function project(name: string) {
  return {
    name,
    include: [`test/${name}/**/*.test.ts`],
    isolate: false,
    maxWorkers: 4,
    setupFiles: [OWN_MODULES],
    sequence: { setupFiles: 'list' as const },
    testTimeout: TIMEOUTS_MS[name] ?? 20_000,
    hookTimeout: 60_000,
  }
}

/** RxDB's tests need the globals of mocha. `npm run test:clients` installs their packages. */
function clients() {
  const absent = !existsSync('test/clients/node_modules') && { include: ['test/clients/absent.ts'] }
  return { globalSetup: './test/clients/setup.ts', globals: true, ...absent }
}

/** Finds RxDB for its adapter in the folder of the tests, where it is installed. */
function frameworks(): Plugin {
  const folder = join(import.meta.dirname, 'test/clients/setup.ts')
  return {
    name: 'frameworks',
    enforce: 'pre',
    resolveId(source) {
      return /^(rxdb|rxjs)(\/|$)/.test(source) ? this.resolve(source, folder, { skipSelf: true }) : null
    },
  }
}

/** Raises the declared limits, which would end a test run within seconds. rate-limit.test.ts sets its own. */
function unlimited(names: readonly string[]) {
  return Object.fromEntries(
    names.map((name) => [name, { namespace_id: name, simple: { limit: 1_000_000, period: 60 as const } }]),
  )
}

/** Finds log lines of requests, which add nothing to a failing test. */
function isRequestLog(log: string): boolean {
  return log.startsWith('{"level":"info"')
}
