"""Occasions to write to somebody: one file each, a pure look at a profile; which of them wins is arbitration's."""
