import { type Draft, type Queued, queueEdits } from './replica/queue.ts'
import { type Settlement, type Synced, settlementOf } from './replica/settlement.ts'
import type { Found, QueuedEdit, Store } from './store/store.ts'
import { type Deferred, deferred } from './values/deferred.ts'
import { ChronicleError, codeOf } from './values/errors.ts'

/** An edit. Resolves when it is saved on this device, whether there is a network or not. */
export interface Edit extends Promise<void> {
  /** Resolves when the service has taken the edit. Rejects with the code of a refusal. */
  readonly synced: Promise<Synced>
}

interface Job {
  readonly draft: Draft
  readonly saved: Deferred<void>
  readonly synced: Deferred<Synced>
}

interface EditorOptions {
  readonly store: () => Store
  /** Tells that the queue has new edits. */
  readonly onQueued: (queued: Queued) => void
  /** The store has failed. Resolves when another attempt may work. */
  readonly onFailure: (reason: unknown) => Promise<void>
}

/** Puts the edits of this tab into the queue, in their order, and follows what becomes of them. */
export class Editor {
  readonly #options: EditorOptions
  /** Edits of the same moment share a transaction. */
  #jobs: Job[] = []
  #work: Promise<unknown> = Promise.resolve()
  #isClosed = false
  /** Edits of this tab that are not settled, by id. */
  readonly #own = new Map<number, { readonly edit: QueuedEdit; readonly synced: Deferred<Synced> }>()

  constructor(options: EditorOptions) {
    this.#options = options
  }

  /** Saves an edit. `drafting` may have to wait, for a schema or for encryption; later edits wait for it. */
  edit(drafting: () => Draft | Promise<Draft>): Edit {
    const saved = deferred<void>()
    const synced = deferred<Synced>()
    saved.promise.catch((reason) => synced.reject(reason))
    this.#enqueue(async () => {
      this.#jobs.push({ draft: await drafting(), saved, synced })
    }, saved)
    return Object.assign(saved.promise, { synced: synced.promise })
  }

  /** Saves an edit of what is stored: `change` reads and decides, and is called again if the row has changed since. */
  change(
    change: () => Promise<{ readonly draft: Draft; readonly isCurrent: (found: Found) => boolean }>,
  ): Edit {
    const saved = deferred<void>()
    const synced = deferred<Synced>()
    saved.promise.catch((reason) => synced.reject(reason))
    const attempt = async (): Promise<void> => {
      await this.#flush()
      const { draft, isCurrent } = await change()
      const isSaved = await this.#save([{ draft, saved, synced }], isCurrent)
      if (!isSaved) await attempt()
    }
    this.#enqueue(attempt, saved)
    return Object.assign(saved.promise, { synced: synced.promise })
  }

  /** Resolves when all edits so far are in the queue, or have failed. */
  settled(): Promise<unknown> {
    return this.#work
  }

  /** Takes what became of edits. Another tab may have sent them. */
  settle({ id, key, answer, code }: Settlement): void {
    const own = this.#own.get(id)
    this.#own.delete(id)
    if (code === undefined) own?.synced.resolve(answer ?? { status: 'applied' })
    else own?.synced.reject(new ChronicleError(code, `the edit of ${key} was rejected: ${code}`))
  }

  /** Settles the edits that are no longer in the queue: a tab that slept has missed the messages. */
  async catchUp(): Promise<void> {
    const ids = [...this.#own.keys()]
    if (ids.length === 0) return
    const keys = Array.from(this.#own.values(), ({ edit }) => edit.key)
    const { edits, outcomes } = await this.#options.store().read({ ids, keys })
    const waiting = new Set(edits.map(({ id }) => id))
    const ended = new Map(outcomes.map((outcome) => [outcome.id, outcome]))
    for (const id of ids) if (!waiting.has(id)) this.settle(settlementOf(id, ended.get(id)))
  }

  /** Puts edits that the browser has removed with its store into the queue again. */
  async restore(): Promise<void> {
    const ids = [...this.#own.keys()]
    const { edits } = await this.#options.store().read({ ids })
    const kept = new Set(edits.map(({ id }) => id))
    const lost = [...this.#own].filter(([id]) => !kept.has(id))
    if (lost.length === 0) return
    const drafts = lost.map(([, { edit }]) => draftOf(edit))
    const queued = await this.#queue(drafts)
    for (const [index, [id, { synced }]] of lost.entries()) {
      this.#own.delete(id)
      const edit = queued.edits[index]
      if (edit) this.#own.set(edit.id, { edit, synced })
    }
    this.#options.onQueued(queued)
  }

  close(): void {
    this.#isClosed = true
    for (const { synced } of this.#own.values()) synced.reject(closed())
    this.#own.clear()
  }

  /** Runs jobs one after the other. Edits that arrive in the meantime are written together afterwards. */
  #enqueue(job: () => Promise<void>, { reject }: Deferred<void>): void {
    const work = this.#work.then(async () => {
      if (this.#isClosed) throw closed()
      await job()
    })
    const isDone = work.catch(reject)
    this.#work = isDone
    void isDone.then(() => {
      if (this.#work === isDone) this.#work = this.#flush()
    })
  }

  async #flush(): Promise<void> {
    const jobs = this.#jobs
    this.#jobs = []
    if (jobs.length > 0) await this.#save(jobs, () => true)
  }

  async #save(jobs: readonly Job[], isCurrent: (found: Found) => boolean): Promise<boolean> {
    try {
      const queued = await this.#queue(
        jobs.map(({ draft }) => draft),
        isCurrent,
      )
      for (const [index, edit] of queued.edits.entries()) this.#saved(edit, jobs[index] as Job)
      this.#options.onQueued(queued)
      return true
    } catch (thrown) {
      if (codeOf(thrown) === 'row-changed') return false
      for (const { saved } of jobs) saved.reject(thrown)
      return true
    }
  }

  /** A second attempt follows if the browser has taken the store away. */
  async #queue(drafts: readonly Draft[], isCurrent: (found: Found) => boolean = () => true): Promise<Queued> {
    const keys = [...new Set(drafts.map(({ key }) => key))]
    const write = () =>
      this.#options.store().update({ keys }, (found) => {
        if (!isCurrent(found)) throw new ChronicleError('row-changed', 'the row has changed')
        return queueEdits(found, drafts)
      })
    try {
      return await write()
    } catch (thrown) {
      if (codeOf(thrown) === 'row-changed') throw thrown
      await this.#options.onFailure(thrown)
      return write()
    }
  }

  #saved(edit: QueuedEdit, { saved, synced }: Job): void {
    this.#own.set(edit.id, { edit, synced })
    saved.resolve()
  }
}

function closed(): ChronicleError {
  return new ChronicleError('closed', 'the client is closed')
}

function draftOf({ key, value, timestamp, base }: QueuedEdit): Draft {
  const on = 'version' in base ? { base: base.version } : {}
  return { key, ...(value !== undefined && { value }), timestamp, ...on }
}
