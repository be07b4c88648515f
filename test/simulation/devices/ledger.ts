import type { Outcome, QueuedEdit } from '../../../client/src/store/store.ts'
import type { Trouble } from '../../../client/src/troubles.ts'
import { Verdicts } from '../values/violation.ts'
import { type Change, type Request, type ResultLine, textOf } from '../values/wire.ts'
import type { Browser } from './browser.ts'
import type { Commit } from './disk.ts'
import type { Made, Queued } from './made.ts'
import type { Tab } from './tab.ts'

/** The answer of the service to an edit. */
interface Taken {
  /** The number of erasures before it. */
  readonly era: number
  /** The client and the batch. */
  readonly batch: string
  readonly result: ResultLine
}

/** The life of a store, from empty to cleared. */
interface Life {
  clientId: string | undefined
  /** All edits that were ever in the queue. */
  readonly edits: Map<number, QueuedEdit>
  readonly outcomes: Map<number, Outcome>
  /** The troubles that the app has ended. */
  readonly attended: Set<string>
  isCleared: boolean
}

/** Follows every edit of all devices, from the store to its end. Nothing may leave a queue without a reason. */
export class Ledger {
  era = 0
  /** Counts the edits that were ever in a queue. */
  edits = 0
  /** The checks of edits and devices, apart from those of hand-made clients. */
  readonly verdicts = new Verdicts()
  readonly #taken = new Map<string, Taken[]>()
  readonly #forgotten = new Set<string>()
  readonly #lives = new Map<string, Life>()

  /** The service has answered a request, whether or not its reply arrives. */
  take(clientId: string, { batch, changes }: Request, results: readonly ResultLine[]): void {
    for (const [index, change] of changes.entries()) {
      const name = nameOf(clientId, change)
      const taken = { era: this.era, batch: `${clientId} ${batch}`, result: results[index] as ResultLine }
      this.#taken.set(name, [...(this.#taken.get(name) ?? []), taken])
    }
  }

  /** The service has forgotten what it answered to a batch. */
  forget(clientId: string, { changes }: Request): void {
    for (const change of changes) this.#forgotten.add(nameOf(clientId, change))
  }

  attend({ name, disk }: Browser, trouble: Trouble): void {
    this.#lifeOf(name, disk.life).attended.add(`${trouble.key} ${trouble.timestamp}`)
  }

  clear({ name, disk }: Browser): void {
    this.#lifeOf(name, disk.life).isCleared = true
  }

  /** A transaction of a device was committed. */
  commit({ name, disk }: Browser, { tab, before, writes, rows }: Commit): void {
    const life = this.#lifeOf(name, disk.life)
    const { state, edits = [], answered = [], outcomes = [], dismissed = [] } = writes
    const isOther = state !== undefined && before !== undefined && state.clientId !== before.clientId
    this.#expect(!isOther, 'IN4', () => `${name} is another client: ${state?.clientId}`)
    life.clientId = state?.clientId ?? life.clientId
    for (const edit of edits) {
      if (!life.edits.has(edit.id)) {
        this.edits += 1
        claim(tab, { edit, life: disk.life })
      }
      life.edits.set(edit.id, edit)
    }
    for (const outcome of outcomes) life.outcomes.set(outcome.id, outcome)
    for (const id of answered) this.#expectAnswered(life, id, outcomes)
    // A reading from the start has bases of its own (RE4).
    if (before?.reading === rows.state?.reading) this.#expectRebased(life, answered, rows.edits)
    for (const id of dismissed) this.#expectAttended(life, id, edits)
  }

  #expectAnswered(life: Life, id: number, outcomes: readonly Outcome[]): void {
    const edit = life.edits.get(id)
    const isKept = outcomes.some((outcome) => outcome.id === id && outcome.status === 'rejected')
    if (edit === undefined || edit.resolves || isKept || this.#isForgotten(life, edit)) return
    const answers = this.#answersTo(life, edit)
    const isTaken = answers.some(({ result }) => result.status !== 'rejected')
    this.#expect(isTaken, 'IN2', () => `an edit left the queue unanswered: ${textOfEdit(edit)}`)
    const [last] = answers.slice(-1)
    const isLost = last?.result.status === 'superseded' || last?.result.status === 'conflict'
    const isTold = outcomes.some((outcome) => outcome.id === id)
    this.#expect(isTold || !isLost, 'IN2', () => `nobody is told that an edit lost: ${textOfEdit(edit)}`)
  }

  /** An edit that waits was made on what the edit before it has become. */
  #expectRebased(life: Life, answered: readonly number[], waiting: readonly QueuedEdit[]): void {
    const last = new Map(answered.map((id) => [life.edits.get(id)?.key, id]))
    for (const edit of waiting) {
      const before = life.edits.get(last.get(edit.key) ?? 0)
      if (before === undefined || before.id > edit.id || before.resolves || edit.pinned) continue
      if (this.#isForgotten(life, before)) continue
      const { status, version = null } = this.#answersTo(life, before).at(-1)?.result ?? {}
      if (status !== 'applied' && status !== 'noop') continue
      const isRebased = 'version' in edit.base && edit.base.version === version
      this.#expect(isRebased, 'IN6', () => `${textOfEdit(edit)} was made on ${version}`)
    }
  }

  #expectAttended(life: Life, id: number, edits: readonly QueuedEdit[]): void {
    const outcome = life.outcomes.get(id)
    life.outcomes.delete(id)
    if (outcome === undefined) return
    const { key, status, edit } = outcome
    const isSeen = status === 'superseded' && edits.some((later) => later.key === key)
    const isAttended = life.attended.has(`${key} ${edit.timestamp}`)
    this.#expect(isSeen || isAttended, 'IN2', () => `a trouble has ended by itself: ${textOfEdit(edit)}`)
  }

  /** Each edit took effect once, or is one that a device still tells of. */
  check(): void {
    for (const [name, life] of this.#lives) {
      for (const edit of life.edits.values()) {
        if (edit.resolves) continue
        const answers = this.#answersTo(life, edit)
        for (let era = 0; era <= this.era; era++) {
          const batches = new Set(answers.filter((taken) => taken.era === era).map(({ batch }) => batch))
          this.#expect(batches.size <= 1, 'IN4', () => `${textOfEdit(edit)} was taken as ${[...batches]}`)
        }
        const isKept =
          this.#isForgotten(life, edit) || life.isCleared || life.outcomes.has(edit.id) || answers.length > 0
        this.#expect(isKept, 'IN2', () => `${name} has lost ${textOfEdit(edit)}`)
      }
    }
  }

  /** Checks that the app was told the truth about an edit. */
  checkSettled({ name, disk }: Browser, made: Made): void {
    const { queued, settled } = made
    if (queued === undefined || settled === undefined || queued.edit.resolves) return
    const life = this.#lifeOf(name, queued.life)
    if (life.isCleared || queued.life !== disk.life || this.#isForgotten(life, queued.edit)) return
    const results = this.#answersTo(life, queued.edit).map(({ result }) => result)
    // A tab that missed the answer knows only that there was one.
    if ('status' in settled && settled.status === 'answered') {
      this.#expectAny(results, queued)
      return
    }
    const told: Told = 'code' in settled ? { status: 'rejected', code: settled.code } : settled
    const isTrue = results.some((result) => isSame(result, told))
    this.#expect(
      isTrue,
      'IN2',
      () =>
        `the app was told ${JSON.stringify(told)} of ${textOfEdit(queued.edit)}, which is ${JSON.stringify(results)}`,
    )
  }

  #expectAny(results: readonly ResultLine[], { edit }: Queued): void {
    this.#expect(results.length > 0, 'IN2', () => `the service has not answered ${textOfEdit(edit)}`)
  }

  #isForgotten({ clientId = '' }: Life, edit: QueuedEdit): boolean {
    return this.#forgotten.has(nameOf(clientId, edit))
  }

  #answersTo({ clientId = '' }: Life, edit: QueuedEdit): readonly Taken[] {
    return this.#taken.get(nameOf(clientId, edit)) ?? []
  }

  #lifeOf(browser: string, life: number): Life {
    const name = `${browser} ${life}`
    const known = this.#lives.get(name)
    if (known) return known
    const made: Life = {
      clientId: undefined,
      edits: new Map(),
      outcomes: new Map(),
      attended: new Set(),
      isCleared: false,
    }
    this.#lives.set(name, made)
    return made
  }

  #expect(holds: boolean, invariant: 'IN2' | 'IN4' | 'IN6', message: () => string): void {
    this.verdicts.expect(holds, invariant, message)
  }
}

/** The edits of a tab are saved in the order in which the app has made them. */
function claim(tab: Tab, queued: Queued): void {
  const { key, timestamp } = queued.edit
  const again = tab.made.find(
    ({ queued: before }) => before?.edit.key === key && before.edit.timestamp === timestamp,
  )
  if (again) {
    again.queued = queued
    return
  }
  const next = tab.made.find(
    (made) =>
      made.queued === undefined && made.failure === undefined && made.key === key && made.fits(queued.edit),
  )
  if (next) next.queued = queued
}

/** The news of an edit that an app gets. */
interface Told {
  readonly status: string
  readonly version?: string
  readonly code?: string
}

function isSame(result: ResultLine, { status, version, code }: Told): boolean {
  if (status === 'rejected') return result.status === 'rejected' && result.code === code
  return result.status === status && (version === undefined || version === result.version)
}

function nameOf(
  clientId: string,
  { key, timestamp, value }: Pick<Change, 'key' | 'timestamp' | 'value'>,
): string {
  return `${clientId} ${key} ${timestamp} ${textOf(value)}`
}

function textOfEdit(edit: QueuedEdit): string {
  return JSON.stringify(edit)
}
