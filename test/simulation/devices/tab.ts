import type { Chronicle } from '../../../client/src/chronicle.ts'
import type { Socket } from '../../../client/src/values/platform.ts'
import type { Random } from '../values/random.ts'
import type { Made } from './made.ts'

/** Where a task comes from. Tasks of one source keep their order. */
type Source = 'timer' | 'http' | 'channel' | 'lock' | 'disk' | 'page' | Socket

interface Timer {
  readonly at: number
  readonly run: () => void
}

/**
 * One tab of a browser, or the one process of a device without tabs. Everything that happens to it is a task, and the
 * history decides when a task runs. A frozen tab keeps its tasks. A dead one has none.
 */
export class Tab {
  readonly name: string
  /** The client, once it is open. */
  chronicle: Chronicle | undefined
  state: 'running' | 'frozen' | 'dead' = 'running'
  isVisible = true
  /** The listeners of a page that wakes. */
  readonly wakers = new Set<() => void>()
  /** The edits that the app has made here, in the order of its calls. */
  readonly made: Made[] = []
  readonly #tasks = new Map<Source, (() => void)[]>()
  #timers: Timer[] = []

  constructor(name: string) {
    this.name = name
  }

  get runs(): boolean {
    return this.state === 'running'
  }

  get isReady(): boolean {
    return this.runs && this.#tasks.size > 0
  }

  queue(source: Source, task: () => void): void {
    if (this.state === 'dead') return
    const tasks = this.#tasks.get(source)
    if (tasks) tasks.push(task)
    else this.#tasks.set(source, [task])
  }

  /** Runs one task. */
  run(random: Random): void {
    const source = random.pick([...this.#tasks.keys()])
    const tasks = this.#tasks.get(source) ?? []
    const task = tasks.shift()
    if (tasks.length === 0) this.#tasks.delete(source)
    task?.()
  }

  /** Calls back at a time. Returns a function that prevents it. */
  at(time: number, run: () => void): () => void {
    let isOver = false
    const timer = {
      at: time,
      run: () => {
        if (!isOver) run()
      },
    }
    this.#timers.push(timer)
    return () => {
      isOver = true
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }

  /** The time of the next timer; undefined without a timer. */
  get nextTimer(): number | undefined {
    if (!this.runs || this.#timers.length === 0) return undefined
    return Math.min(...this.#timers.map(({ at }) => at))
  }

  /** Lets timers fire whose time has come. */
  tick(now: number): void {
    if (!this.runs) return
    const due = this.#timers.filter(({ at }) => at <= now).sort((one, other) => one.at - other.at)
    if (due.length === 0) return
    this.#timers = this.#timers.filter(({ at }) => at > now)
    for (const { run } of due) this.queue('timer', run)
  }

  /** The page is visible again, or the network is back. */
  wake(): void {
    for (const waker of this.wakers) this.queue('page', waker)
  }

  die(): void {
    this.state = 'dead'
    this.#tasks.clear()
    this.#timers = []
  }
}
