import { afterAll, beforeAll } from 'vitest'
import type { RunningCloud } from '../../../infra/local/start-cloud.ts'
import { type CloudOptions, type TestCloud, testCloud } from './cloud.ts'

/** Cloud that the tests of a file share, in its current run. */
export interface SharedCloud extends TestCloud, Pick<RunningCloud, 'url' | 'outputs'> {
  /** Run that was started last. */
  readonly running: RunningCloud
}

/** Starts a cloud before the tests of a file and removes it after them. A test may restart the cloud. */
export function withCloud({
  config,
  ...options
}: CloudOptions & { config?: Record<string, string> } = {}): SharedCloud {
  const tested = testCloud(options)
  let running: RunningCloud | undefined
  async function start(settings = config): Promise<RunningCloud> {
    running = await tested.start(settings)
    return running
  }
  beforeAll(async () => {
    await start()
  })
  afterAll(() => tested.remove())
  return {
    ...tested,
    start,
    get running() {
      if (!running) throw new Error('the cloud is started before the first test')
      return running
    },
    get url() {
      return this.running.url
    },
    get outputs() {
      return this.running.outputs
    },
  }
}
