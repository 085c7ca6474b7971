"""Writers of texts. Each gives a `GeneratedText`; none decides whether it may be published."""
