import { createLogUpdate } from 'log-update'
import type { RunEvent } from '../run/event.ts'
import { cut } from './cut.ts'
import type { Paint } from './paint.ts'
import { lineFor, type Progress } from './progress.ts'
import { durationWords, leftWords } from './words.ts'

interface RunningStep {
  name: string
  began: number
  waiting: string
  vms: string
  left: string
}

const redrawMs = 250

/** Finished steps as lines, and under them the running one with its time and what is being waited for. */
export function liveProgress(stream: NodeJS.WriteStream, paint: Paint, now: () => number): Progress {
  const live = createLogUpdate(stream, { showCursor: true })
  const began = now()
  let step: RunningStep | undefined

  const draw = (): void => {
    if (step === undefined) live.clear()
    // A serial console has 0 columns: it does not know its size.
    else live(linesOf(step, now(), began, stream.columns || 80, paint))
  }
  const timer = setInterval(draw, redrawMs)
  timer.unref()

  return {
    show(event) {
      const line = keptLine(event, paint)
      if (line !== undefined) {
        live.clear()
        stream.write(`${line}\n`)
      }
      step = stepAfter(event, step, now())
      draw()
    },
    end() {
      clearInterval(timer)
      live.clear()
      live.done()
    },
  }
}

function stepAfter(event: RunEvent, step: RunningStep | undefined, now: number): RunningStep | undefined {
  if (event.kind === 'step began') return { name: event.step, began: now, waiting: '', vms: '', left: '' }
  if (event.kind === 'step ended' || step === undefined) return undefined
  if (event.kind === 'waiting') {
    const left = event.leftMs === undefined ? '' : `${leftWords(event.leftMs)}  `
    return { ...step, waiting: `waiting for ${event.what}`, left }
  }
  if (event.kind === 'vm') return { ...step, vms: `${event.done}/${event.of} VMs` }
  return step
}

function linesOf(step: RunningStep, now: number, began: number, columns: number, paint: Paint): string {
  const total = `run ${durationWords(now - began)}`
  const head = `${paint.strong(step.name)} ${durationWords(now - step.began)}  ${step.vms}`
  return [`> ${head}  ${step.left}${paint.faint(total)}`, `  ${cut(step.waiting, columns - 4)}`].join('\n')
}

/** What stays on the screen when the run goes on. */
function keptLine(event: RunEvent, paint: Paint): string | undefined {
  const line = lineFor(event)
  if (line === undefined) return undefined
  if (event.kind === 'step ended') {
    return event.error === undefined ? `${paint.good('✔')} ${line}` : `${paint.bad('✘')} ${line}`
  }
  if (event.kind === 'left open') return paint.doubtful(line)
  if (event.kind === 'note') return event.severity === 'warning' ? paint.doubtful(line) : line
  return event.kind === 'run began' ? paint.faint(line) : undefined
}
