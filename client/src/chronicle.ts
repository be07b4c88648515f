import { checkName } from './check-options.ts'
import { Collection, type Schema } from './collection.ts'
import { Device } from './device/device.ts'
import type { Change } from './device/messages.ts'
import type { DeviceOptions } from './device/options.ts'
import type { Status } from './device/status.ts'
import { type Edit, Editor } from './editor.ts'
import { type History, historyOf } from './history.ts'
import type { QueuedEdit, TroubleStatus } from './store/store.ts'
import { type Ending, type Trouble, Troubles } from './troubles.ts'
import { ChronicleError, type UnsyncedEdit } from './values/errors.ts'
import { jsonOf } from './values/json.ts'
import type { Readable } from './values/readable.ts'
import { VERSION } from './values/version.ts'
import type { Json } from './values/wire.ts'
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
  readonly #collections = new Map<string, unknown>()
  readonly #troubles: Troubles

  private constructor(options: DeviceOptions, device: Device, editor: Editor) {
    this.#options = options
    this.#device = device
    this.#editor = editor
    this.#troubles = new Troubles({
      store: () => device.store,
      open: (value, key) => this.#open(value, key),
      write: (key, value, ending) => this.#write(key, value, ending),
      discard: async ({ id, key }) => {
        device.written(await device.store.update({}, () => ({ dismissed: [id] })), [key])
        await this.#troubles.refresh()
      },
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
      born: () => device.born,
      check: () => checkOwner(device.status.getSnapshot()),
      onQueued: (queued) => device.written(queued),
      onFailure: (reason) => device.recover(reason),
    })
    const chronicle = new Chronicle(options, device, editor)
    hear = (change) => chronicle.#changed(change)
    reopen = () => editor.catchUp()
    end = () => chronicle.#forget()
    let isForeign = false
    device.status.subscribe((status) => {
      if (isForeign === isOfOther(status)) return
      isForeign = !isForeign
      chronicle.#hide(isForeign)
    })
    await chronicle.#troubles.refresh()
    return chronicle
  }

  /**
   * The rows of a collection. A `schema` of any library that follows the Standard Schema checks what is put. Returns the
   * same object until it is called with another schema.
   */
  collection<T extends object = Record<string, Json>>(
    name: string,
    { schema }: { readonly schema?: Schema<T> } = {},
  ): Collection<T> {
    const { collections, platform } = this.#options
    checkName(name)
    if (collections && !collections.includes(name))
      throw new TypeError(
        `"${name}" is not among the collections of openChronicle(): ${collections.join(', ')}`,
      )
    const known = this.#collections.get(name) as Collection<T> | undefined
    if (known && known.schema === schema) return known
    const collection = new Collection<T>(name, this.#viewOf(name) as View<T>, schema, {
      now: platform.now,
      edit: (make, options) => this.#editor.edit(make, options),
      seal: (value, key) => this.#seal(value, key),
    })
    this.#collections.set(name, collection)
    return collection
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
    await this.#editor.settled()
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
    await this.#editor.settled()
    const { edits, outcomes } = await this.#device.store.read({ edits: true, outcomes: true })
    const isHidden = isOfOther(this.status.getSnapshot())
    const listed = async ({ key, value, timestamp }: QueuedEdit, status: UnsyncedEdit['status']) => {
      const isAbsent = isHidden || value === undefined
      const opened = isAbsent ? undefined : this.#open(value, key).catch(() => undefined)
      return { key, timestamp, status, value: await opened }
    }
    const lost = outcomes.flatMap(({ status, edit }) =>
      status === 'rejected' || status === 'orphaned' ? [listed(edit, status)] : [],
    )
    return Promise.all([...edits.map((edit) => listed(edit, 'pending')), ...lost])
  }

  /**
   * Closes this tab's client. Edits stay on the device and are sent the next time. Only a store in memory loses them:
   * then this rejects with `unsynced`, unless `discard` is set.
   */
  async close({ discard = false }: { readonly discard?: boolean } = {}): Promise<void> {
    await this.#editor.settled()
    if (this.#device.isStopped) return
    if (!discard && this.#device.store.kind === 'memory') await this.#refuseLoss()
    this.#editor.close()
    await this.#device.close()
  }

  /**
   * Ends the session, and removes everything from this device, in all tabs. Tries to send the queue first. Rejects with
   * `unsynced` if edits would be lost, unless `discard` is set.
   */
  async logout({ discard = false }: { readonly discard?: boolean } = {}): Promise<void> {
    await this.#editor.settled()
    if (!discard) {
      if ((await this.unsynced()).length > 0) await this.sync().catch(() => {})
      await this.#refuseLoss()
    }
    await this.#device.erase()
    this.#forget()
  }

  /** Facts for a support ticket: no key, value or credential. */
  async diagnostics(): Promise<Readonly<Record<string, unknown>>> {
    const { store } = this.#device
    const [counts, { state }] = await Promise.all([store.count(), store.read({})])
    const { url, collections } = this.#options
    const status = this.status.getSnapshot()
    const { space: _space, subject: _subject, ...replica } = state ?? {}
    return {
      version: VERSION,
      url,
      collections,
      store: store.kind,
      ...counts,
      status: { ...status, obstacle: status.obstacle?.code },
      replica,
    }
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
    if (isOfOther(this.status.getSnapshot())) view.hide(true)
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

  #write(key: string, value: Json | object | undefined, ending?: Ending): Edit {
    const { ends, base, resolves } = ending ?? {}
    const end = {
      ...(ends && { ends: ends.id }),
      ...(base !== undefined && { base }),
      ...(resolves && { resolves }),
    }
    return this.#editor.edit(async () => {
      const content = value === undefined ? {} : { value: await this.#seal(jsonOf(value, key), key) }
      return { draft: { key, ...content, timestamp: this.#options.platform.now(), ...end } }
    })
  }

  #changed({ keys, settled }: Change): void {
    for (const settlement of settled) this.#editor.settle(settlement)
    if (keys === null) void this.#editor.catchUp().catch(() => {})
    for (const view of this.#views.values()) void view.refresh(keys)
    void this.#troubles.refresh()
  }

  /** The user has logged out, in this tab or in another one. */
  #forget(): void {
    this.#editor.close()
    this.#hide(true)
  }

  #hide(isHidden: boolean): void {
    for (const view of this.#views.values()) view.hide(isHidden)
    this.#troubles.hide(isHidden)
  }

  async #refuseLoss(): Promise<void> {
    const edits = await this.unsynced()
    if (edits.length === 0) return
    const message = `${edits.length} edits are not on the service yet. Pass { discard: true } to drop them`
    throw new ChronicleError('unsynced', message, { edits })
  }
}

/** Whether the token is of another user than the data. Neither rows nor edits of one may reach the other. */
function isOfOther({ obstacle }: Status): boolean {
  return obstacle?.code === 'other-user'
}

function checkOwner(status: Status): void {
  if (isOfOther(status)) throw new ChronicleError('other-user', status.obstacle?.detail ?? '')
}
