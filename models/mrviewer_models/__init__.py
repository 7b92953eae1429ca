"""The methods that come with mrviewer: one folder each, registered under the entry points like anybody else's."""
