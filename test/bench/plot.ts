import { LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import type { Plot } from './figure.ts'

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])

/** A plot as an SVG document. */
export function svgOf({ title, x, y, series, logarithmic }: Plot): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 720, height: 420 })
  const scale = logarithmic ? { type: 'log' as const, min: tenBelow } : { type: 'value' as const }
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: title, left: 'center', textStyle: { fontSize: 15 } },
    legend: { bottom: 4 },
    grid: { left: 70, right: 30, top: 50, bottom: 80 },
    xAxis: { ...scale, name: x, nameLocation: 'middle', nameGap: 28 },
    yAxis: { ...scale, name: y, nameLocation: 'end' },
    series: series.map(({ name, points }) => ({ type: 'line', name, data: points, symbolSize: 7 })),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  // For who cannot see it; titles are ours and have nothing to escape.
  return `${svg.replace('>', `><title>${title}</title>`)}\n`
}

/** Where an axis by powers of ten begins: left to itself it begins one earlier. */
function tenBelow({ min }: { min: number }): number {
  return 10 ** Math.floor(Math.log10(min))
}
