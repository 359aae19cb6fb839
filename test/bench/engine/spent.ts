import { readFileSync } from 'node:fs'

/** What this process has needed since it began. */
export interface Spent {
  cpuSeconds: number
  /** The most that it ever had in memory. */
  peakMiB: number
}

export function spent(): Spent {
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakMiB: Number(kib) / 1024 }
}
