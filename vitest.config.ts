import { existsSync } from 'node:fs'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

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
      { test: { ...project('integration'), ...sideBySide() } },
      { test: { ...project('pulumi'), globalSetup: './test/pulumi/setup.ts' } },
      { test: { ...project('clients'), ...clients() } },
    ],
  },
})

/** Runs the tests in workerd beside the Worker, in one runtime: its start takes longer than most files. */
function inRuntime<T extends object>(config: T) {
  const plugin = cloudflareTest({
    wrangler: { configPath: './worker/wrangler.toml' },
    miniflare: { ratelimits: unlimited(['AUTH_LIMIT', 'FAILURE_LIMIT', 'SYNC_LIMIT']) },
  })
  return { ...config, logLevel: 'error' as const, plugins: [plugin] }
}

/**
 * The files of a project share a process. Packages are loaded once, our own modules for each file. Timeouts are long,
 * because a busy machine is no failure.
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

/** Runs two files at a time, because they spend most of their time waiting for real deadlines. */
function sideBySide() {
  return { maxWorkers: 2, sequence: { setupFiles: 'list' as const, groupOrder: 1 } }
}

/** RxDB's tests need the globals of mocha. `npm run test:clients` installs their packages. */
function clients() {
  const absent = !existsSync('test/clients/node_modules') && { include: ['test/clients/absent.ts'] }
  return { globalSetup: './test/clients/setup.ts', globals: true, ...absent }
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
