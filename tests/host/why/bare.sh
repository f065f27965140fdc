# A host without a rule and without a listener.
