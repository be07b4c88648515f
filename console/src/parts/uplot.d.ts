/** Declares the CommonJS build, which is smaller in a bundle: its names are short in a scope of their own. */
declare module 'uplot/dist/uPlot.cjs.js' {
  import uPlot from 'uplot'
  export default uPlot
}
