import { LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import type { Plot } from './figure.ts'

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])

/** A plot as an SVG document. */
export function svgOf({ title, x, y, series, logarithmic }: Plot): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 720, height: 420 })
  const type = logarithmic ? 'log' : 'value'
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: title, left: 'center', textStyle: { fontSize: 15 } },
    legend: { bottom: 4 },
    grid: { left: 70, right: 30, top: 50, bottom: 80 },
    xAxis: { type, name: x, nameLocation: 'middle', nameGap: 28 },
    yAxis: { type, name: y, nameLocation: 'end' },
    series: series.map(({ name, points }) => ({ type: 'line', name, data: points, symbolSize: 7 })),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}
