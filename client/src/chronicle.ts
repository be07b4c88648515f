import { Collection, type Schema } from './collection.ts'
import { Device, type DeviceOptions } from './device/device.ts'
import type { Change } from './device/messages.ts'
import type { Status } from './device/status.ts'
import { type Edit, Editor } from './editor.ts'
import { type History, historyOf } from './history.ts'
import type { Draft } from './replica/queue.ts'
import type { Trouble as TroubleStatus } from './store/store.ts'
import { type Ending, type Trouble, Troubles } from './troubles.ts'
import { ChronicleError, type UnsyncedEdit } from './values/errors.ts'
import type { Readable } from './values/readable.ts'
import type { Json } from './values/wire.ts'
import { VERSION } from './version.ts'
import { View } from './view/view.ts'

/** The data of one space on this device. Open one in each tab: all tabs share a store, and one of them syncs. */
export class Chronicle {
  /** Is everything saved? Changes whenever the answer does. */
  readonly status: Readable<Status>
  /** The edits that need attention, the oldest first. */
  readonly troubles: Readable<readonly Trouble[]>
  readonly #options: DeviceOptions
  readonly #device: Device
  readonly #editor: Editor
  readonly #views = new Map<string, View<unknown>>()
  readonly #troubles: Troubles

  private constructor(options: DeviceOptions, device: Device, editor: Editor) {
    this.#options = options
    this.#device = device
    this.#editor = editor
    this.#troubles = new Troubles({
      store: () => device.store,
      open: (value, key) => this.#open(value, key),
      write: (key, value, ending) => this.#write(key, value, ending),
      discard: async ({ id, key }) =>
        device.written(await device.store.update({}, () => ({ dismissed: [id] })), [key]),
    })
    this.troubles = this.#troubles.list
    this.status = device.status
  }

  /** @internal */
  static async open(options: DeviceOptions): Promise<Chronicle> {
    // The device speaks up as soon as it is open, before there is a client to hear it.
    let hear = (_change: Change) => {}
    let reopen = async () => {}
    let end = () => {}
    const device = await Device.open(options, {
      onChange: (change) => hear(change),
      onReopened: () => reopen(),
      onGone: () => end(),
    })
    const editor = new Editor({
      store: () => device.store,
      onQueued: (queued) => device.written(queued),
      onFailure: (reason) => device.recover(reason),
    })
    const chronicle = new Chronicle(options, device, editor)
    hear = (change) => chronicle.#changed(change)
    reopen = () => editor.restore()
    end = () => editor.close()
    await chronicle.#troubles.refresh()
    return chronicle
  }

  /** The rows of a collection. A `schema` of any library that follows the Standard Schema checks what is put. */
  collection<T extends object = Record<string, Json>>(
    name: string,
    { schema }: { readonly schema?: Schema<T> } = {},
  ): Collection<T> {
    const { collections, platform } = this.#options
    if (collections && !collections.includes(name))
      throw new TypeError(
        `"${name}" is not among the collections of openChronicle(): ${collections.join(', ')}`,
      )
    return new Collection<T>(name, this.#viewOf(name) as View<T>, schema, {
      now: platform.now,
      edit: (drafting) => this.#editor.edit(drafting),
      change: (change) => this.#editor.change(change),
      seal: (value, key) => this.#seal(value, key),
    })
  }

  /**
   * Calls back with each edit that begins to need attention, and with those that do already. Returns a function that
   * ends this. All tabs are called; `retry`, `resolve` and `discard` take effect once.
   */
  on(status: TroubleStatus, listener: (trouble: Trouble) => void): () => void {
    return this.#troubles.on(status, listener)
  }

  /** Sends and reads everything now. Rejects if the service cannot be reached, or refuses; it is tried again anyway. */
  async sync(): Promise<void> {
    await this.#saved()
    await this.#device.drain()
  }

  /** The versions of an entry, such as `notes/n1`, that the service keeps. Needs the network. */
  history(key: string): Promise<History> {
    return historyOf({
      key,
      request: (path) => this.#device.request(path),
      open: (value) => this.#open(value, key),
      restore: (value) => this.#write(key, value),
    })
  }

  /** The edits that only this device has. */
  async unsynced(): Promise<readonly UnsyncedEdit[]> {
    await this.#saved()
    const { edits, outcomes } = await this.#device.store.read({ prefix: '' })
    const lost = outcomes.filter(({ status }) => status === 'rejected' || status === 'orphaned')
    const all = [
      ...edits.map((edit) => ({ edit, rejected: false })),
      ...lost.map(({ edit }) => ({ edit, rejected: true })),
    ]
    return Promise.all(
      all.map(async ({ edit: { key, value, timestamp }, rejected }) => ({
        ...{ key, timestamp, rejected },
        value: value === undefined ? undefined : await this.#open(value, key),
      })),
    )
  }

  /**
   * Closes this tab's client. Edits stay on the device and are sent the next time. Only a store in memory loses them:
   * then this rejects with `unsynced`, unless `discard` is set.
   */
  async close({ discard = false }: { readonly discard?: boolean } = {}): Promise<void> {
    await this.#saved()
    if (!discard && this.#device.store.kind === 'memory') await this.#refuseLoss()
    this.#editor.close()
    await this.#device.close()
  }

  /**
   * Ends the session, and removes everything from this device, in all tabs. Tries to send the queue first. Rejects with
   * `unsynced` if edits would be lost, unless `discard` is set.
   */
  async logout({ discard = false }: { readonly discard?: boolean } = {}): Promise<void> {
    await this.#saved()
    if (!discard) {
      if ((await this.unsynced()).length > 0) await this.sync().catch(() => {})
      await this.#refuseLoss()
    }
    this.#editor.close()
    await this.#device.erase()
  }

  /** Facts for a support ticket: no key, value or credential. */
  async diagnostics(): Promise<Readonly<Record<string, unknown>>> {
    const { store } = this.#device
    const [counts, { state }] = await Promise.all([store.count(), store.read({})])
    const { url, collections } = this.#options
    const { space: _space, subject: _subject, ...replica } = state ?? {}
    return {
      version: VERSION,
      url,
      collections,
      store: store.kind,
      ...counts,
      status: this.status.getSnapshot(),
      replica,
    }
  }

  /** @internal Makes a request of the service, for adapters. */
  request(path: string, init?: { method?: string; body?: object }): Promise<unknown> {
    return this.#device.request(path, init)
  }

  #viewOf(name: string): View<unknown> {
    const known = this.#views.get(name)
    if (known) return known
    const view = new View<unknown>({
      store: () => this.#device.store,
      prefix: `${name}/`,
      open: (value, key) => this.#open(value, key),
      onFailure: (reason) => void this.#device.recover(reason).catch(() => {}),
    })
    this.#views.set(name, view)
    return view
  }

  async #seal(value: Json, key: string): Promise<Json> {
    const { encryption } = this.#options
    return encryption ? encryption.seal(value, key) : value
  }

  async #open(value: Json, key: string): Promise<Json> {
    const { encryption } = this.#options
    return encryption ? encryption.open(value, key) : value
  }

  #write(key: string, value: Json | undefined, ending?: Ending): Edit {
    const end = ending && { ends: ending.ends.id, ...(ending.resolves && { resolves: ending.resolves }) }
    return this.#editor.edit(async (): Promise<Draft> => {
      const content = value === undefined ? {} : { value: await this.#seal(value, key) }
      return { key, ...content, timestamp: this.#options.platform.now(), ...end }
    })
  }

  #changed({ keys, settled }: Change): void {
    for (const settlement of settled) this.#editor.settle(settlement)
    if (keys === null) void this.#editor.catchUp().catch(() => {})
    for (const view of this.#views.values()) void view.refresh(keys)
    void this.#troubles.refresh()
  }

  async #saved(): Promise<void> {
    let work: Promise<unknown>
    do {
      work = this.#editor.settled()
      await work
    } while (work !== this.#editor.settled())
  }

  async #refuseLoss(): Promise<void> {
    const edits = await this.unsynced()
    if (edits.length === 0) return
    const message = `${edits.length} edits are not on the service yet. Pass { discard: true } to drop them`
    throw new ChronicleError('unsynced', message, { edits })
  }
}
