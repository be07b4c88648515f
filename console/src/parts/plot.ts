import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot/dist/uPlot.cjs.js'
import { formatBytes, formatClock, formatCount } from '../base/format.ts'
import { html, type View } from '../base/html.ts'

/** The height of a plot, px: style/parts.css reserves it. */
const HEIGHT = 120
/** The room for the numbers at the side, and for the times below, px. */
const Y_AXIS_WIDTH = 56
const X_AXIS_HEIGHT = 24
/** The shortest time that a plot shows, seconds. */
const SHORTEST_S = 300
/** The room above and below a line, as a share of its values. */
const MARGIN = 0.02

/** Distances between the ticks of an axis of bytes: up to some terabytes. */
const POWERS_OF_TWO = Array.from({ length: 43 }, (_none, power) => 2 ** power)

/** Plots show the same moment when one of them is pointed at. */
const SYNC = 'overview'

interface PlotProps {
  readonly title: string
  /** In seconds since 1970, ascending. */
  readonly times: readonly number[]
  readonly values: readonly number[]
  /** Whether the values are bytes, whose axis has powers of two. */
  readonly isBytes: boolean
  /** Says in words what the plot shows. */
  readonly summary: string
}

/** A line over time, with its last value, or the value at the pointer. */
export function Plot({ title, times, values, isBytes, summary }: PlotProps): View {
  const format = isBytes ? formatBytes : formatCount
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const data = useRef<uPlot.AlignedData>([[]])
  data.current = dataOf(times, values)
  const [pointed, setPointed] = useState<number | null>(null)

  useEffect(() => {
    const element = host.current
    if (!element) return
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const draw = () => {
      plot.current?.destroy()
      plot.current = new uPlot(optionsOf(element, isBytes, setPointed), data.current, element)
    }
    const resize = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    )
    draw()
    resize.observe(element)
    scheme.addEventListener('change', draw)
    return () => {
      resize.disconnect()
      scheme.removeEventListener('change', draw)
      plot.current?.destroy()
    }
  }, [])

  useEffect(() => plot.current?.setData(data.current), [times, values])

  const index = pointed ?? values.length - 1
  return html`
    <figure>
      <figcaption>
        <span>${title}</span>
        <strong>${values[index] === undefined ? '–' : format(values[index])}</strong>
        <span class="muted">${pointed !== null && times[index] !== undefined ? formatClock(times[index] * 1_000) : ''}</span>
      </figcaption>
      <div ref=${host} class="plot-host" role="img" aria-label=${summary}></div>
    </figure>
  `
}

/** The data of a plot. A line needs two points. */
function dataOf(times: readonly number[], values: readonly number[]): uPlot.AlignedData {
  const [time = 0, ...others] = times
  return others.length > 0
    ? [[...times], [...values]]
    : [
        [time - 1, time],
        [...values, ...values],
      ]
}

function optionsOf(
  host: HTMLElement,
  isBytes: boolean,
  onPoint: (index: number | null) => void,
): uPlot.Options {
  const format = isBytes ? formatBytes : formatCount
  const style = getComputedStyle(host)
  const axis: uPlot.Axis = {
    stroke: style.outlineColor,
    font: `11px ${style.fontFamily}`,
    grid: { stroke: style.borderTopColor, width: 1 },
    ticks: { show: false },
  }
  return {
    width: host.clientWidth,
    height: HEIGHT,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, sync: { key: SYNC }, drag: { x: false, y: false } },
    scales: {
      x: { range: (_plot, low, high) => [Math.min(low, high - SHORTEST_S), high] },
      y: { range: (_plot, low, high) => [low * (1 - MARGIN), Math.max(high * (1 + MARGIN), 1)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: X_AXIS_HEIGHT,
        space: 80,
        values: (_plot, times) => times.map((at) => formatClock(at * 1_000)),
      },
      {
        ...axis,
        size: Y_AXIS_WIDTH,
        space: 20,
        ...(isBytes && { incrs: POWERS_OF_TWO }),
        values: (_plot, values) => values.map((value) => (Number.isInteger(value) ? format(value) : '')),
      },
    ],
    series: [{}, { stroke: style.color, width: 1.5, points: { show: false } }],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  }
}
