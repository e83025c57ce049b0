import { openTrust } from '../editor/trust.ts';
import type { Command } from './command.ts';

/** The editor's page where a folder is trusted or not. */
export const manageTrust: Command = () => openTrust;
