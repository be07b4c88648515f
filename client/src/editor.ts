import { type Draft, type Queued, queueEdits } from './replica/queue.ts'
import { type Settlement, type Synced, settlementOf } from './replica/settlement.ts'
import { idsBefore, stateOf } from './replica/state.ts'
import type { Found, QueuedEdit, Store } from './store/store.ts'
import { type Deferred, deferred } from './values/deferred.ts'
import { ChronicleError, codeOf, isDomException, messageOf } from './values/errors.ts'

/** An edit. Resolves when it is saved on this device, whether there is a network or not. */
export interface Edit extends Promise<void> {
  /** Resolves when the service has taken the edit. Rejects with the code of a refusal, or if the edit is not saved. */
  readonly synced: Promise<Synced>
}

/** The content of an edit. `isCurrent` tells whether it still fits what is stored; if not, it is made again. */
export interface Drafted {
  readonly draft: Draft
  readonly isCurrent?: (found: Found) => boolean
}

interface Job {
  readonly make: () => Drafted | Promise<Drafted>
  /** The edit depends on what is stored, with the edits before it. */
  readonly reads: boolean
  readonly saved: Deferred<void>
  readonly synced: Deferred<Synced>
}

interface Made extends Drafted {
  readonly job: Job
}

interface EditorOptions {
  readonly store: () => Store
  /** When the store of this tab was made. Another one belongs to another user, or has lost the edits. */
  readonly born: () => number
  /** Throws if the app may not edit now. */
  readonly check: () => void
  /** Tells that the queue has new edits. */
  readonly onQueued: (queued: Queued) => void
  /** The store has failed. Resolves when another attempt may work. */
  readonly onFailure: (reason: unknown) => Promise<void>
}

/** The most edits that share a transaction. */
const MOST_TOGETHER = 100

/** Puts the edits of this tab into the queue, in their order, and follows what becomes of them. */
export class Editor {
  readonly #options: EditorOptions
  #jobs: Job[] = []
  #work: Promise<void> | undefined
  #isClosed = false
  /** Edits of this tab that are not settled, by id. */
  readonly #own = new Map<number, { readonly edit: QueuedEdit; readonly synced: Deferred<Synced> }>()
  /** Settlements of edits that are still being saved, by id. */
  readonly #early = new Map<number, Settlement>()

  constructor(options: EditorOptions) {
    this.#options = options
  }

  /** Saves an edit. `make` may have to wait, for a schema or for encryption; later edits wait for it. */
  edit(make: Job['make'], { reads = false }: { readonly reads?: boolean } = {}): Edit {
    const job: Job = { make, reads, saved: deferred<void>(), synced: deferred<Synced>() }
    this.#jobs.push(job)
    this.#start()
    const saved = job.saved.promise.catch((reason: unknown) => {
      job.synced.reject(reason)
      throw reason
    })
    return Object.defineProperty(saved, 'synced', {
      get() {
        // An app that waits for the service hears of this failure there.
        saved.catch(() => {})
        return job.synced.promise
      },
    }) as Edit
  }

  /** Resolves when all edits so far are in the queue, or have failed. */
  async settled(): Promise<void> {
    while (this.#work) await this.#work
  }

  /** Takes what became of edits. Another tab may have sent them. */
  settle(settlement: Settlement): void {
    const { id, key, answer, code } = settlement
    const own = this.#own.get(id)
    // The message of another tab may overtake the end of the transaction that saves the edit.
    if (own === undefined && this.#work) this.#early.set(id, settlement)
    this.#own.delete(id)
    if (code === undefined) own?.synced.resolve(answer ?? { status: 'answered' })
    else own?.synced.reject(new ChronicleError(code, `the edit of ${key} was rejected: ${code}`))
  }

  /**
   * Settles the edits that are no longer in the queue, because a tab that slept has missed the messages. Edits that the
   * browser has removed with their store go into the queue of the new one.
   */
  async catchUp(): Promise<void> {
    const own = [...this.#own]
    if (own.length === 0) return
    const keys = own.map(([, { edit }]) => edit.key)
    const ids = own.map(([id]) => id)
    const { state, edits, outcomes } = await this.#options.store().read({ ids, keys })
    if (state?.born !== this.#options.born()) return
    const waiting = new Set(edits.map(({ id }) => id))
    const ended = new Map(outcomes.map((outcome) => [outcome.id, outcome]))
    const older = idsBefore(state.born)
    const lost = own.filter(([id]) => id <= older)
    for (const [id] of own) if (id > older && !waiting.has(id)) this.settle(settlementOf(id, ended.get(id)))
    if (lost.length > 0) await this.#restore(lost.map(([, one]) => one))
  }

  close(): void {
    this.#isClosed = true
    for (const { synced } of this.#own.values()) synced.reject(closed())
    this.#own.clear()
  }

  async #restore(lost: readonly { edit: QueuedEdit; synced: Deferred<Synced> }[]): Promise<void> {
    const queued = await this.#write(lost.map(({ edit }) => ({ draft: draftOf(edit) })))
    for (const [index, { edit, synced }] of lost.entries()) {
      this.#own.delete(edit.id)
      const again = queued.edits[index]
      if (again) this.#own.set(again.id, { edit: again, synced })
    }
    this.#options.onQueued(queued)
  }

  #start(): void {
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined
      this.#early.clear()
      if (this.#jobs.length > 0) this.#start()
    })
  }

  /** Makes edits one after the other, and writes those of the same moment together. */
  async #run(): Promise<void> {
    const made: Made[] = []
    for (let job = this.#jobs.shift(); job; job = this.#jobs.shift()) {
      if (job.reads) await this.#save(made.splice(0))
      const drafted = await this.#make(job)
      if (drafted) made.push(drafted)
      if (job.reads || made.length === MOST_TOGETHER) await this.#save(made.splice(0))
      else if (this.#jobs.length === 0) await Promise.resolve()
    }
    await this.#save(made)
  }

  async #make(job: Job): Promise<Made | undefined> {
    try {
      if (this.#isClosed) throw closed()
      this.#options.check()
      return { job, ...(await job.make()) }
    } catch (thrown) {
      job.saved.reject(thrown)
      return undefined
    }
  }

  /** An edit that fails takes no other one with it. */
  async #save(made: readonly Made[]): Promise<void> {
    if (made.length === 0) return
    try {
      const queued = await this.#queue(made)
      for (const [index, { job }] of made.entries()) {
        const edit = queued.edits[index]
        if (edit) this.#own.set(edit.id, { edit, synced: job.synced })
        job.saved.resolve()
        const early = edit && this.#early.get(edit.id)
        if (early) this.settle(early)
      }
      this.#options.onQueued(queued)
    } catch (thrown) {
      if (made.length > 1) for (const one of made) await this.#save([one])
      else if (made[0]) await this.#failed(made[0].job, thrown)
    }
  }

  async #failed(job: Job, thrown: unknown): Promise<void> {
    const code = codeOf(thrown)
    if (code === 'row-changed') {
      const again = await this.#make(job)
      if (again) await this.#save([again])
    } else if (code === 'trouble-ended') {
      // Another tab has ended the trouble in the same way.
      job.synced.resolve({ status: 'noop' })
      job.saved.resolve()
    } else if (isDomException(thrown))
      job.saved.reject(new ChronicleError('storage', messageOf(thrown), { cause: thrown }))
    else job.saved.reject(thrown)
  }

  /** Other attempts follow if the browser has taken the store away. */
  async #queue(made: readonly Drafted[], attempts = 3): Promise<Queued> {
    try {
      return await this.#write(made)
    } catch (thrown) {
      if (attempts === 1 || ['row-changed', 'trouble-ended'].includes(codeOf(thrown))) throw thrown
      await this.#options.onFailure(thrown)
      return this.#queue(made, attempts - 1)
    }
  }

  #write(made: readonly Drafted[]): Promise<Queued> {
    const keys = [...new Set(made.map(({ draft }) => draft.key))]
    return this.#options.store().update({ keys }, (found) => {
      if (stateOf(found).born !== this.#options.born())
        throw new ChronicleError('cleared', 'the store was replaced')
      if (made.some(({ isCurrent }) => isCurrent?.(found) === false))
        throw new ChronicleError('row-changed', 'the row has changed')
      return queueEdits(
        found,
        made.map(({ draft }) => draft),
      )
    })
  }
}

function closed(): ChronicleError {
  return new ChronicleError('closed', 'the client is closed')
}

function draftOf({ key, value, timestamp, base }: QueuedEdit): Draft {
  const on = 'version' in base ? { base: base.version } : {}
  return { key, ...(value !== undefined && { value }), timestamp, ...on }
}
