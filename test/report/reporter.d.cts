import type { ReporterConstructor } from 'mocha';
declare const Reporter: ReporterConstructor;
export = Reporter;
