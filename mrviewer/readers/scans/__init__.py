"""Raw data of scanners: fastMRI, ISMRMRD and Siemens twix, to images of a study."""
