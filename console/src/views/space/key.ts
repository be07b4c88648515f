import { useState } from 'preact/hooks'
import { html, type View } from '../../base/html.ts'
import { link } from '../../base/route.ts'
import type { Entry, HistoryReply } from '../../base/wire.ts'
import { useAct } from '../../forms/act.ts'
import { Loaded, useLoad } from '../../parts/load.ts'
import { tell } from '../../parts/notice.ts'
import { Section } from '../../parts/page.ts'
import { ProblemBlock } from '../../parts/problem.ts'
import { readHistory } from '../../service/history.ts'
import { Restore } from './restore.ts'
import type { SpaceProps } from './space-props.ts'
import { VersionView } from './version.ts'

interface KeyProps extends SpaceProps {
  /** The key of the entry. `key` is a word of preact. */
  readonly name: string
}

/** The versions of a key, with what each changed. */
export function Key({ space, isUser, home, name, onActed }: KeyProps): View {
  const load = useLoad((signal) => readHistory(space, name, { signal }), { deps: [name] })
  const tools = html`
    <button type="button" onClick=${load.reload}>Read again</button>
    <a class="button" href=${link([...home, 'entries'], { prefix: name })}>Entries from here</a>
    <a class="button" href=${link([...home, 'conflicts'], { key: name, all: '1' })}>Its conflicts</a>
  `
  return html`
    <${Section} title=${html`History of <code>${name}</code>`} tools=${tools}>
      <${Loaded} load=${load}>${(page: HistoryReply) => html`
        <${Versions} key=${page.versions[0]?.version} space=${space} isUser=${isUser} first=${page} onReload=${load.reload} onActed=${onActed} />
      `}<//>
    <//>
  `
}

interface VersionsProps extends Pick<SpaceProps, 'space' | 'isUser' | 'onActed'> {
  readonly first: HistoryReply
  readonly onReload: () => void
}

function Versions({ space, isUser, first, onReload, onActed }: VersionsProps): View {
  const [{ versions, next }, setList] = useState(first)
  const [chosen, setChosen] = useState<Entry>()
  const more = useAct()
  const [current] = versions
  const readOlder = () =>
    more.start(async () => {
      if (next === null) return
      const page = await readHistory(space, first.key, { before: next })
      setList({ ...page, versions: [...versions, ...page.versions] })
    })
  const leave = () => setChosen(undefined)
  const reread = () => {
    leave()
    onReload()
  }
  const finish = () => {
    tell(`The content of ${chosen?.version} is current again, as a new version.`)
    reread()
    onActed()
  }
  return html`
    ${chosen && current && html`<${Restore} space=${space} current=${current} version=${chosen} onRestored=${finish} onStale=${reread} onClose=${leave} />`}
    <ol class="versions">
      ${versions.map(
        (version, index) => html`
          <${VersionView} key=${version.version} version=${version} before=${versions[index + 1]} isCurrent=${index === 0}
            isFirst=${next === null && index === versions.length - 1}
            onRestore=${isUser || index === 0 ? undefined : setChosen} />
        `,
      )}
    </ol>
    ${more.error && html`<${ProblemBlock} error=${more.error} />`}
    ${next !== null && html`<button type="button" aria-disabled=${more.isBusy} onClick=${readOlder}>Older versions</button>`}
  `
}
