import type { Socket } from '../../../client/src/values/platform.ts'
import type { ClientEnd } from '../network/lines.ts'
import type { Network } from './network.ts'
import type { Tab } from './tab.ts'

interface Ending {
  readonly code: number
  readonly reason: string
}

type Listener = (event: { readonly data: unknown } & Ending) => void

/** The other side of a socket. */
export interface Answering {
  /** Returns the end of an open socket, or why it closes at once. */
  open(socket: TabSocket): ClientEnd | Ending
  /** A message is at the service. */
  said(socket: TabSocket, text: string): void
  /** The service sends a message. */
  says(socket: TabSocket, text: string): void
}

/** The end of a socket in a tab. Its two directions are lines of the network. */
export class TabSocket implements Socket {
  readyState = 0
  /** Whether the connection is dead, and neither end knows. */
  isDead = false
  readonly tab: Tab
  readonly url: string
  readonly protocols: readonly string[]
  readonly #up = {}
  readonly #down = {}
  readonly #network: Network
  readonly #answering: Answering
  readonly #listeners = new Map<string, Listener[]>()
  #end: ClientEnd | undefined

  constructor(tab: Tab, url: string, { protocols, network, answering }: SocketOptions) {
    this.tab = tab
    this.url = url
    this.protocols = protocols
    this.#network = network
    this.#answering = answering
    this.#rise(() => this.#open())
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  send(text: string): void {
    if (this.readyState !== 1) throw new DOMException('the socket is not open', 'InvalidStateError')
    this.#rise(() => {
      if (text === '{"type":"ping"}') this.#fall(() => this.#tell('message', { data: '{"type":"pong"}' }))
      else if (this.#end) {
        this.#answering.said(this, text)
        this.#end.send(text)
      }
    })
  }

  close(): void {
    if (this.readyState > 1) return
    this.readyState = 2
    this.#rise(() => this.#end?.close(1000))
    this.tab.queue(this, () => this.#closed({ code: 1000, reason: '' }))
  }

  /** The connection breaks. `isSilent`: neither end hears of it. */
  cut(isSilent: boolean): void {
    this.isDead = true
    this.#network.cut(this.#up)
    this.#network.cut(this.#down)
    if (isSilent) return
    this.#end?.close(1001)
    this.tab.queue(this, () => this.#closed({ code: 1006, reason: '' }))
  }

  /** Ends the service's end, as when the tab is closed. */
  hangUp(): void {
    this.isDead = true
    this.#network.cut(this.#up)
    this.#network.cut(this.#down)
    this.#end?.close(1001)
  }

  #open(): void {
    const opened = this.#answering.open(this)
    this.#fall(() => {
      if (this.readyState !== 0) return
      this.readyState = 1
      this.#tell('open', {})
    })
    if ('code' in opened) this.#fall(() => this.#closed(opened))
    else this.#follow(opened)
  }

  #follow(opened: ClientEnd): void {
    this.#end = opened
    opened.addEventListener('message', ({ data }) => {
      this.#answering.says(this, String(data))
      this.#fall(() => this.#tell('message', { data }))
    })
    opened.addEventListener('close', (ending) => {
      this.#end = undefined
      this.#fall(() => this.#closed(ending))
    })
  }

  #closed({ code, reason }: Ending): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.#tell('close', { code, reason })
  }

  #tell(type: string, event: Partial<Parameters<Listener>[0]>): void {
    if (type === 'message' && this.readyState !== 1) return
    for (const listener of this.#listeners.get(type) ?? [])
      listener({ data: undefined, code: 0, reason: '', ...event })
  }

  #rise(deliver: () => void): void {
    if (!this.isDead) this.#network.send({ tab: this.tab, line: this.#up, isAnswer: false, deliver })
  }

  #fall(run: () => void): void {
    const deliver = () => this.tab.queue(this, run)
    if (!this.isDead) this.#network.send({ tab: this.tab, line: this.#down, isAnswer: true, deliver })
  }
}

interface SocketOptions {
  readonly protocols: readonly string[]
  readonly network: Network
  readonly answering: Answering
}
