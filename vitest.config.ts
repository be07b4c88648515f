import { existsSync } from 'node:fs'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/** Secrets for the tests only: the declaration says which ones the Worker needs, the stack makes the real ones. */
Object.assign(process.env, {
  ADMIN_TOKEN: `adm_dev_${'a'.repeat(64)}`,
  MASTER_KEY: `1:${btoa('m'.repeat(32))}`,
  SESSION_KEY: `1:${btoa('s'.repeat(32))}`,
})

/** Comes first: what is loaded after it is the test file's own. */
const OWN_MODULES = './test/support/setup/own-modules.ts'

/** Reads all that the Worker logs, and leaves nothing to the next file. */
const SETUP = [OWN_MODULES, './test/support/setup/witness.ts', './test/support/setup/shared-runtime.ts']

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
          // `npm run attack` sets it: what takes minutes then runs whole, and not a sample of it.
          provide: { thorough: process.env.ATTACK === 'thorough' },
          ...(process.env.ATTACK === 'thorough' && { testTimeout: 3_600_000 }),
        },
      }),
      // GitHub's language service imports JSON in a way that Node refuses.
      { test: { ...project('infra'), server: { deps: { inline: [/@actions\//] } } } },
      { test: { ...project('integration'), ...sideBySide() } },
      { test: { ...project('pulumi'), globalSetup: './test/pulumi/setup.ts' } },
      { test: { ...project('clients'), ...clients() } },
    ],
  },
})

/** Runs the tests in workerd, beside the Worker: in one runtime, as starting it takes longer than most files do. */
function inRuntime<T extends object>(config: T) {
  const plugin = cloudflareTest({
    wrangler: { configPath: './worker/wrangler.toml' },
    miniflare: { ratelimits: unlimited(['AUTH_LIMIT', 'FAILURE_LIMIT', 'SYNC_LIMIT']) },
  })
  return { ...config, logLevel: 'error' as const, plugins: [plugin] }
}

/**
 * Long timeouts, because a busy machine is no failure. The files of a project share a process: packages are loaded
 * once, modules of ours for each file.
 */
function project(name: string) {
  const include = [`test/${name}/**/*.test.ts`]
  return {
    name,
    include,
    isolate: false,
    setupFiles: [OWN_MODULES],
    sequence: { setupFiles: 'list' as const },
    testTimeout: 180_000,
    hookTimeout: 60_000,
  }
}

/** Files that wait for real deadlines, for most of their time: another one runs meanwhile. */
function sideBySide() {
  return { maxWorkers: 2, sequence: { setupFiles: 'list' as const, groupOrder: 1 } }
}

/** RxDB's tests want the globals of mocha. `npm run test:clients` installs what they need. */
function clients() {
  const absent = !existsSync('test/clients/node_modules') && { include: ['test/clients/absent.ts'] }
  return { globalSetup: './test/clients/setup.ts', globals: true, ...absent }
}

/** The declared limits would end a test run within seconds; rate-limit.test.ts has its own. */
function unlimited(names: readonly string[]) {
  return Object.fromEntries(
    names.map((name) => [name, { namespace_id: name, simple: { limit: 1_000_000, period: 60 as const } }]),
  )
}

/** The Worker logs each request; a failing test says more. */
function isRequestLog(log: string): boolean {
  return log.startsWith('{"level":"info"')
}
