"""DICOM files of X-rays, as machines, archives and converters write them, and as they should not."""

import struct
from pathlib import Path

import gdcm
import numpy as np
import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRBigEndian, ExplicitVRLittleEndian, RLELossless
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from cephalometric.xrays.dicom import read_dicom

RAMP = np.linspace(0, 4095, 1200).reshape(30, 40).astype(np.uint16)
PATIENT = 'Doe^Jane'
COMPRESSORS = {
    'JPEG lossless': gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    'JPEG-LS': gdcm.TransferSyntax.JPEGLSLossless,
    'JPEG 2000': gdcm.TransferSyntax.JPEG2000Lossless,
}


def lookup_table(entries, bits, first=0, **tags):
    table = Dataset()
    table.add_new('LUTDescriptor', 'SS' if first < 0 else 'US', [len(entries) % 2**16, first, bits])
    table.add_new('LUTData', 'US', [int(entry) for entry in entries])
    for keyword, value in tags.items():
        setattr(table, keyword, value)
    return Sequence([table])


def data_set(pixels=RAMP, **tags):
    """An X-ray of 12 bits, or of the depth of ``pixels``; None takes a tag away."""
    result = Dataset()
    result.PatientName, result.PatientID, result.PatientBirthDate = PATIENT, '4711', '19700101'
    result.SOPClassUID, result.SOPInstanceUID, result.Modality = DigitalXRayImageStorageForPresentation, '1.2.3', 'DX'
    colour = pixels.ndim > 2 and pixels.shape[-1] == 3
    result.Rows, result.Columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    frames = pixels.ndim - 2 - colour
    if frames:
        result.NumberOfFrames = pixels.shape[0]
    result.SamplesPerPixel = 3 if colour else 1
    if colour:
        result.PlanarConfiguration = 0
    result.PhotometricInterpretation = 'RGB' if colour else 'MONOCHROME2'
    result.BitsAllocated = 8 * pixels.itemsize
    result.BitsStored = 12 if pixels.itemsize == 2 else result.BitsAllocated
    result.HighBit = result.BitsStored - 1
    result.PixelRepresentation = int(pixels.dtype.kind == 'i')
    result.add_new('PixelData', 'OW' if pixels.itemsize > 1 else 'OB', pixels.tobytes())
    for keyword, value in tags.items():
        if value is None:
            del result[keyword]
        else:
            setattr(result, keyword, value)
    return result


def write(path, dataset, syntax=ExplicitVRLittleEndian):
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_with_other_syntax(path, dataset, data, declared):
    """A file whose data are stored in another way than its header declares."""
    write(path, dataset, data)
    parts = elements(path)
    path.write_bytes(file_of(parts, declared, data.is_implicit_VR, data != ExplicitVRBigEndian))
    return path


def compress(path, name):
    """Compress the pixels of a file in place, as GDCM does it."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(COMPRESSORS[name]))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID.is_compressed
    return path


def compress_run_lengths(path):
    """The same by pydicom, whose RLE keeps all bits."""
    dataset = pydicom.dcmread(path)
    bits, high = dataset.BitsStored, dataset.HighBit
    dataset.BitsStored, dataset.HighBit = dataset.BitsAllocated, dataset.BitsAllocated - 1
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.BitsStored, dataset.HighBit = bits, high
    dataset.save_as(path)
    return path


def elements(path: Path) -> dict[int, tuple[str, bytes]]:
    """Type and bytes of the value of each attribute of a file, by tag."""
    dataset = pydicom.dcmread(path)
    raw = {tag: dataset.get_item(tag) for tag in dataset.keys()}  # noqa: SIM118
    return {
        int(tag): (element.VR or pydicom.datadict.dictionary_VR(tag).split()[0], element.value or b'')
        for tag, element in raw.items()
    }


def file_of(parts: dict[int, tuple[str, bytes]], syntax: str, implicit=False, little_endian=True) -> bytes:
    """A file of these attributes, whatever is in them."""
    order = '<' if little_endian else '>'
    name = (syntax + '\0' * (len(syntax) % 2)).encode()
    meta = struct.pack('<HH2sH', 2, 0x10, b'UI', len(name)) + name
    content = bytes(128) + b'DICM' + struct.pack('<HH2sHL', 2, 0, b'UL', 4, len(meta)) + meta
    for tag, (vr, value) in sorted(parts.items()):
        value += b'\0' * (len(value) % 2)
        content += struct.pack(f'{order}HH', tag >> 16, tag & 0xFFFF)
        if implicit:
            content += struct.pack(f'{order}L', len(value))
        elif vr in EXPLICIT_VR_LENGTH_32:
            content += struct.pack(f'{order}2s2xL', vr.encode(), len(value))
        else:
            content += struct.pack(f'{order}2sH', vr.encode(), len(value) % 2**16)
        content += value
    return content


def with_values(path, values: dict[str, tuple[str, bytes]]):
    """Give attributes of a file a type and a value, whatever they are."""
    parts = elements(path) | {tag_for_keyword(keyword): value for keyword, value in values.items()}
    path.write_bytes(file_of(parts, ExplicitVRLittleEndian))
    return path


def reader(folder):
    """Writes a data set into a folder and reads its only frame."""

    def read(dataset, syntax=ExplicitVRLittleEndian):
        (frame,) = read_dicom(write(folder / 'film.dcm', dataset, syntax))
        assert frame.image.dtype == np.uint8
        return frame

    return read


def assert_ramp(image, start=0, end=255, tolerance=2):
    np.testing.assert_allclose(image.ravel(), np.linspace(start, end, 1200), atol=tolerance)
